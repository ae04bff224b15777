// A variable with a value per fiber, as thread_local has one per thread.
#pragma once
#include <memory>

#include "weft/detail/local_value.hpp"

namespace weft {

// T{} is made at a fiber's first use and destroyed at the fiber's end, on it and shielded, after what the fiber's
// function captured; the last used go first. On a foreign thread: one value per thread, until its end. T is not shared,
// so it needs no locks; a reference to it serves that fiber alone. Exceptions of T's constructor pass, and the next use
// tries again.
//
// Destroying the fiber_local leaves the values to their fibers. A use looks through the fiber's few values, the last
// used first.
template <class T>
class fiber_local {
 public:
  fiber_local() noexcept : key_(detail::next_local_key()) {}
  fiber_local(const fiber_local&) = delete;
  fiber_local& operator=(const fiber_local&) = delete;

  T& operator*() const {
    if (detail::local_value* found = detail::find_local(key_)) return static_cast<holder*>(found)->value;
    auto fresh = std::make_unique<holder>();
    fresh->key = key_;
    fresh->destroy = [](detail::local_value* v) noexcept { delete static_cast<holder*>(v); };
    detail::add_local(fresh.get());
    return fresh.release()->value;
  }
  T* operator->() const { return std::addressof(**this); }

 private:
  struct holder : detail::local_value {
    T value{};
  };
  std::uint64_t key_;
};

}  // namespace weft
