// A value that is written and read under a lock, and at which others may look without it, for a hint.
#pragma once
#include <atomic>

namespace weft::runtime {

// The lock orders reads and writes, so reads are plain; only the looks from outside meet writes. Not explore's atomic:
// what a hint says is never relied on, so it is no step of a protocol.
template <class T>
class hinted {
 public:
  constexpr hinted(T value = {}) noexcept : value_(value) {}
  hinted(const hinted& o) noexcept : value_(o.value_) {}

  // Under the lock.
  operator T() const noexcept { return value_; }
  T operator->() const noexcept { return value_; }
  hinted& operator=(T value) noexcept {
    std::atomic_ref(value_).store(value, std::memory_order_relaxed);
    return *this;
  }
  hinted& operator=(const hinted& o) noexcept { return *this = o.value_; }
  T operator++() noexcept { return *this = value_ + 1; }
  T operator++(int) noexcept {
    const T before = value_;
    *this = before + 1;
    return before;
  }

  // Without it.
  T hint() const noexcept { return std::atomic_ref(const_cast<T&>(value_)).load(std::memory_order_relaxed); }

 private:
  alignas(std::atomic_ref<T>::required_alignment) T value_;
};

}  // namespace weft::runtime
