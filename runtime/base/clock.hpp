// The monotonic clock as nanoseconds in a signed 64-bit number: 292 years from boot.
#pragma once
#include <time.h>

#include <cstdint>

#include "weft/detail/atomic_of.hpp"

namespace weft::runtime {

inline std::int64_t now_ns() noexcept {
#if WEFT_EXPLORE
  return detail::explore_now();
#else
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
#endif
}

inline timespec to_timespec(std::int64_t ns) noexcept {
  if (ns < 0) ns = 0;
  timespec t;
  t.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
  t.tv_nsec = static_cast<long>(ns % 1'000'000'000);
  return t;
}

// a + b, both non-negative; saturates at the end of time.
inline std::int64_t saturating_add(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

}  // namespace weft::runtime
