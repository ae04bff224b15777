// The atomics of weft: the standard's. In the library's variant for synctest::explore (WEFT_EXPLORE) each operation
// that another thread could notice is a scheduling point before it happens.
//
// There all threads are one, so the orderings mean nothing: what is explored is every interleaving of the operations,
// one after the other. Loads and stores that are relaxed are no points, for they publish nothing: whatever is decided
// by one is confirmed by another operation.
#pragma once
#include <atomic>
#include <cstdint>

#include "weft/detail/config.hpp"

namespace weft::detail {

#if WEFT_EXPLORE

WEFT_API void explore_point(const char* operation) noexcept;  // whoever runs may be another one afterwards
WEFT_API void explore_spin() noexcept;                        // the same for one who can only wait for others
WEFT_API std::int64_t explore_now() noexcept;
WEFT_API std::uint64_t explore_draw() noexcept;  // a random number of the seed's

template <class T>
class atomic_of {
 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = std::atomic<T>::is_always_lock_free;

  constexpr atomic_of() noexcept = default;
  constexpr atomic_of(T v) noexcept : value_(v) {}
  atomic_of(const atomic_of&) = delete;
  atomic_of& operator=(const atomic_of&) = delete;

  T load(std::memory_order order = std::memory_order_seq_cst) const noexcept {
    if (order != std::memory_order_relaxed) explore_point("load");
    return value_.load(std::memory_order_relaxed);
  }
  void store(T v, std::memory_order order = std::memory_order_seq_cst) noexcept {
    if (order != std::memory_order_relaxed) explore_point("store");
    value_.store(v, std::memory_order_relaxed);
  }
  operator T() const noexcept { return load(); }
  T operator=(T v) noexcept {
    store(v);
    return v;
  }
  T exchange(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore_point("exchange");
    return value_.exchange(v, std::memory_order_relaxed);
  }
  bool compare_exchange_strong(T& seen, T v, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) noexcept {
    explore_point("compare_exchange");
    return value_.compare_exchange_strong(seen, v, std::memory_order_relaxed);
  }
  bool compare_exchange_weak(T& seen, T v, std::memory_order = std::memory_order_seq_cst,
                             std::memory_order = std::memory_order_seq_cst) noexcept {
    return compare_exchange_strong(seen, v);  // never fails for no reason: that would be no interleaving
  }
  T fetch_add(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore_point("fetch_add");
    return value_.fetch_add(v, std::memory_order_relaxed);
  }
  T fetch_sub(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore_point("fetch_sub");
    return value_.fetch_sub(v, std::memory_order_relaxed);
  }
  T fetch_or(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore_point("fetch_or");
    return value_.fetch_or(v, std::memory_order_relaxed);
  }
  T fetch_and(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore_point("fetch_and");
    return value_.fetch_and(v, std::memory_order_relaxed);
  }
  T operator++() noexcept { return fetch_add(1) + 1; }
  T operator++(int) noexcept { return fetch_add(1); }
  T operator--() noexcept { return fetch_sub(1) - 1; }

 private:
  std::atomic<T> value_{};
};

#else

template <class T>
using atomic_of = std::atomic<T>;

#endif

}  // namespace weft::detail
