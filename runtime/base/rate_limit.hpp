// How often something may happen: so many times at once, and in the long run once in an interval.
//
// One thread at a time counts; any may ask, and hears what was so a moment ago. Source: the generic cell rate algorithm
// (ITU-T I.371), whose whole state is one time.
#pragma once
#include <algorithm>
#include <cstdint>

#include "runtime/base/atomic.hpp"

namespace weft::runtime {

class rate_limit {
 public:
  constexpr rate_limit(std::int64_t interval_ns, int at_once) noexcept
      : interval_(interval_ns), credit_(interval_ns * (at_once - 1)) {}

  // From when on it may happen once more; in the past, if it may now.
  std::int64_t allowed_from() const noexcept { return allowed_from_.load(relaxed); }
  // It happens now, within the limit or not.
  void count(std::int64_t now) noexcept {
    allowed_from_.store(std::max(allowed_from_.load(relaxed), now - credit_) + interval_, relaxed);
  }

 private:
  const std::int64_t interval_, credit_;
  atomic<std::int64_t> allowed_from_{0};
};

}  // namespace weft::runtime
