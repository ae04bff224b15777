// Short names for memory orders, and the type all runtime code takes its atomics from: where synctest::explore steps
// in.
//
// Orderings stand on operations, not on fences, wherever that is enough: ThreadSanitizer does not see fences. seq_cst
// appears only for a store followed by a load of something else, and the place says so.
#pragma once
#include <atomic>

#include "weft/detail/atomic_of.hpp"

namespace weft::runtime {
template <class T>
using atomic = detail::atomic_of<T>;

inline constexpr auto relaxed = std::memory_order_relaxed;
inline constexpr auto acquire = std::memory_order_acquire;
inline constexpr auto release = std::memory_order_release;
inline constexpr auto acq_rel = std::memory_order_acq_rel;
inline constexpr auto seq_cst = std::memory_order_seq_cst;

// Between stores and loads of something else, where many of either share it.
inline void full_fence() noexcept {
  detail::explore_fence();
  std::atomic_thread_fence(seq_cst);
}
}  // namespace weft::runtime
