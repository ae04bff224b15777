// weft's clock and durations.
#pragma once
#include <chrono>
#include <cstdint>
#include <limits>

#include "weft/detail/config.hpp"

namespace weft {
using namespace std::chrono_literals;

// Monotonic. Timers, deadlines and sleeps are measured by it and never end early.
struct WEFT_API clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<clock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

// Any std::chrono duration, rounded up to nanoseconds; beyond ±292 years it saturates instead of overflowing.
struct timespan {
  std::int64_t ns;

  template <class Rep, class Period>
  constexpr timespan(std::chrono::duration<Rep, Period> d) noexcept : ns(saturate(d)) {}

 private:
  template <class Rep, class Period>
  static constexpr std::int64_t saturate(std::chrono::duration<Rep, Period> d) noexcept {
    using wide = std::chrono::duration<long double, std::nano>;
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    const long double approximate = wide(d).count();
    if (approximate != approximate) return 0;  // not a number
    if (approximate >= static_cast<long double>(most)) return most;
    if (approximate <= -static_cast<long double>(most)) return -most;
    return std::chrono::ceil<std::chrono::nanoseconds>(d).count();
  }
};

}  // namespace weft
