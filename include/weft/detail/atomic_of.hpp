// The atomics of weft: the standard's, or nearly (aarch64, below). In the library's variant for synctest::explore
// (WEFT_EXPLORE) each operation that another thread could notice is a scheduling point before it happens.
//
// There all threads are one; what is explored is every interleaving of the operations, one after the other, and that
// stores are seen late: each waits in a buffer of its thread's, as in a processor's, first in, first out, where its own
// thread alone sees it, and becomes visible at any later point. A read-modify-write and a fence empty the buffer first;
// a seq_cst load does so up to the thread's last seq_cst store. So a store that must be seen before a load of something
// else is looked at (Dekker) needs its seq_cst here too. Acquire, release and relaxed are otherwise all the same, and
// loads are never early. Loads that are relaxed are no points, for they publish nothing: whatever is decided by one is
// confirmed by another operation.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "weft/detail/config.hpp"

namespace weft::detail {

#if WEFT_EXPLORE

WEFT_API void explore_point(const char* operation) noexcept;  // whoever runs may be another one afterwards
WEFT_API void explore_spin() noexcept;                        // the same for one who can only wait for others
WEFT_API std::int64_t explore_now() noexcept;
WEFT_API std::uint64_t explore_draw() noexcept;  // a random number of the seed's

// The stores of the running thread that others do not see yet.
struct kept_store {
  void* place;
  void (*put)(void* place, const std::byte* value) noexcept;
  bool ordered;  // seq_cst
  alignas(16) std::byte value[16];
};
WEFT_API bool explore_keeps() noexcept;  // whether stores are kept back just now
WEFT_API void explore_keep(const kept_store&) noexcept;
WEFT_API const std::byte* explore_kept(const void* place) noexcept;  // the last value kept for that place, or null
WEFT_API void explore_forget(const void* place) noexcept;            // the place goes
WEFT_API void explore_fence() noexcept;                              // all become visible
WEFT_API void explore_fence_ordered() noexcept;                      // those up to the last seq_cst one

template <class T>
class atomic_of {
 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = std::atomic<T>::is_always_lock_free;

  constexpr atomic_of() noexcept = default;
  constexpr atomic_of(T v) noexcept : value_(v) {}
  constexpr ~atomic_of() {
    if (!std::is_constant_evaluated()) explore_forget(&value_);
  }
  atomic_of(const atomic_of&) = delete;
  atomic_of& operator=(const atomic_of&) = delete;

  T load(std::memory_order order = std::memory_order_seq_cst) const noexcept {
    if (order != std::memory_order_relaxed) explore_point("load");
    if (order == std::memory_order_seq_cst) explore_fence_ordered();
    const std::byte* const kept = explore_kept(&value_);
    if (kept == nullptr) return value_.load(std::memory_order_relaxed);
    T v;
    std::memcpy(static_cast<void*>(&v), kept, sizeof v);
    return v;
  }
  void store(T v, std::memory_order order = std::memory_order_seq_cst) noexcept {
    if (order != std::memory_order_relaxed) explore_point("store");
    if (!explore_keeps()) return value_.store(v, std::memory_order_relaxed);
    kept_store kept{&value_, &put, order == std::memory_order_seq_cst, {}};
    std::memcpy(kept.value, &v, sizeof v);
    explore_keep(kept);
  }
  operator T() const noexcept { return load(); }
  T operator=(T v) noexcept {
    store(v);
    return v;
  }
  T exchange(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore_point("exchange");
    explore_fence();
    return value_.exchange(v, std::memory_order_relaxed);
  }
  bool compare_exchange_strong(T& seen, T v, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) noexcept {
    explore_point("compare_exchange");
    explore_fence();
    return value_.compare_exchange_strong(seen, v, std::memory_order_relaxed);
  }
  bool compare_exchange_weak(T& seen, T v, std::memory_order = std::memory_order_seq_cst,
                             std::memory_order = std::memory_order_seq_cst) noexcept {
    return compare_exchange_strong(seen, v);  // never fails for no reason: that would be no interleaving
  }
  T fetch_add(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore_point("fetch_add");
    explore_fence();
    return value_.fetch_add(v, std::memory_order_relaxed);
  }
  T fetch_sub(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore_point("fetch_sub");
    explore_fence();
    return value_.fetch_sub(v, std::memory_order_relaxed);
  }
  T fetch_or(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore_point("fetch_or");
    explore_fence();
    return value_.fetch_or(v, std::memory_order_relaxed);
  }
  T fetch_and(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    explore_point("fetch_and");
    explore_fence();
    return value_.fetch_and(v, std::memory_order_relaxed);
  }
  T operator++() noexcept { return fetch_add(1) + 1; }
  T operator++(int) noexcept { return fetch_add(1); }
  T operator--() noexcept { return fetch_sub(1) - 1; }

 private:
  static_assert(sizeof(T) <= sizeof(kept_store::value));
  static void put(void* place, const std::byte* value) noexcept {
    T v;
    std::memcpy(static_cast<void*>(&v), value, sizeof v);
    static_cast<std::atomic<T>*>(place)->store(v, std::memory_order_relaxed);
  }

  std::atomic<T> value_{};
};

#elif defined(__aarch64__)

// A seq_cst store is an exchange, as it is on x86-64 anyway. A processor would do with stlr, which no later ldar
// passes; but an emulator on x86-64 that sees to each of the two by itself lets it pass (qemu-user 7.2: in 11,330 of
// 200,000 rounds of a Dekker neither side saw the other), and then a cancel is lost:
//     fiber                                     cancel
//     stores `preparing`; it is still on its
//     way when the flag is loaded: not set
//                                               stores the flag
//                                               loads the word: no wait to claim
//     sleeps for ever
template <class T>
class atomic_of : public std::atomic<T> {
 public:
  constexpr atomic_of() noexcept = default;
  constexpr atomic_of(T v) noexcept : std::atomic<T>(v) {}

  void store(T v, std::memory_order order = std::memory_order_seq_cst) noexcept {
    if (order == std::memory_order_seq_cst)
      this->exchange(v, order);
    else
      std::atomic<T>::store(v, order);
  }
  T operator=(T v) noexcept {
    store(v);
    return v;
  }
};

#else

template <class T>
using atomic_of = std::atomic<T>;

#endif

#if !WEFT_EXPLORE
inline void explore_fence() noexcept {}
#endif

}  // namespace weft::detail
