#include "bench/load_work.hpp"

#include <algorithm>
#include <cstdint>

#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

double turns_in_a_nanosecond = 0;

// Each turn waits for the one before, so that a neighbour on the same core takes little from it.
[[gnu::noinline]] void spin(long turns) {
  std::uint64_t x = 1;
  for (long i = 0; i < turns; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    asm volatile("" : "+r"(x));
  }
}

}  // namespace

void work_for(std::chrono::nanoseconds time) {
  spin(static_cast<long>(static_cast<double>(time.count()) * turns_in_a_nanosecond));
}

void measure_work() {
  constexpr long k_turns = 100'000;
  constexpr double k_milliseconds = 200;
  double least = 1e12;
  for (const stopwatch all; all.milliseconds() < k_milliseconds;) {
    const stopwatch time;
    spin(k_turns);
    least = std::min(least, time.nanoseconds());
  }
  turns_in_a_nanosecond = k_turns / least;
}

}  // namespace bench
