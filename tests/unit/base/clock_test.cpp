// Nanoseconds of the monotonic clock.
#include "runtime/base/clock.hpp"

#include <chrono>
#include <cstdint>

#include "tests/support/support.hpp"

using namespace weft::runtime;

TEST_CASE("clock: it is the standard's steady clock, and never goes back") {
  const auto steady = [] {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  std::int64_t last = 0;
  long wrong = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t before = steady(), now = now_ns(), after = steady();
    wrong += now < before || now > after || now < last;
    last = now;
  }
  CHECK(wrong == 0);
}

TEST_CASE("clock: saturating_add stops at the end of time") {
  CHECK(saturating_add(1, 2) == 3);
  CHECK(saturating_add(0, 0) == 0);
  CHECK(saturating_add(INT64_MAX, 0) == INT64_MAX);
  CHECK(saturating_add(INT64_MAX - 1, 1) == INT64_MAX);
  CHECK(saturating_add(INT64_MAX, 1) == INT64_MAX);
  CHECK(saturating_add(1, INT64_MAX) == INT64_MAX);
  CHECK(saturating_add(INT64_MAX, INT64_MAX) == INT64_MAX);
  CHECK(saturating_add(INT64_MAX / 2, INT64_MAX / 2) == INT64_MAX - 1);
}

TEST_CASE("clock: to_timespec splits at the second, and the kernel never sees a negative time") {
  const auto is = [](std::int64_t ns, std::int64_t seconds, long rest) {
    const timespec t = to_timespec(ns);
    return t.tv_sec == seconds && t.tv_nsec == rest;
  };
  CHECK(is(0, 0, 0));
  CHECK(is(999'999'999, 0, 999'999'999));
  CHECK(is(1'000'000'000, 1, 0));
  CHECK(is(5'000'000'007, 5, 7));
  CHECK(is(INT64_MAX, 9'223'372'036, 854'775'807));
  CHECK(is(-1, 0, 0));
  CHECK(is(INT64_MIN, 0, 0));
}
