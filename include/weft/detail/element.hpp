// How untyped code moves and destroys a channel's elements.
#pragma once
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weft::detail {

// A null `move` says that bytes may be copied and nothing needs destroying.
struct element_type {
  std::size_t size;
  std::size_t align;
  void (*move)(void* to, void* from) noexcept;  // move-constructs at `to`; `from` stays alive
  void (*destroy)(void*) noexcept;
};

// noexcept on purpose: a move constructor that throws here ends the process (API: only moves inside, and a throwing one
// is fatal).
template <class T>
void move_element(void* to, void* from) noexcept {
  std::construct_at(static_cast<T*>(to), std::move(*static_cast<T*>(from)));
}
template <class T>
void destroy_element(void* at) noexcept {
  std::destroy_at(static_cast<T*>(at));
}

template <class T>
inline constexpr element_type element_of{sizeof(T), alignof(T),
                                         std::is_trivially_copyable_v<T> ? nullptr : &move_element<T>,
                                         std::is_trivially_copyable_v<T> ? nullptr : &destroy_element<T>};
template <>
inline constexpr element_type element_of<void>{0, 1, nullptr, nullptr};

// Room for one T that somebody else constructs. take() gives it once.
template <class T>
class slot {
 public:
  slot() noexcept {}
  slot(const slot&) = delete;
  void* address() noexcept { return &value_; }
  T take() noexcept(std::is_nothrow_move_constructible_v<T>) {
    const struct guard {
      slot* s;
      ~guard() { std::destroy_at(&s->value_); }
    } g{this};
    return std::move(value_);
  }
  void drop() noexcept { std::destroy_at(&value_); }
  ~slot() {}

 private:
  union {
    T value_;
  };
};

}  // namespace weft::detail
