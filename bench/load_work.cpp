#include "bench/load_work.hpp"

#include <algorithm>

#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

double turns_in_a_nanosecond = 0;

void spin(long turns) {
  for (long i = 0; i < turns; ++i) asm volatile("" ::: "memory");
}

}  // namespace

void work_for(std::chrono::nanoseconds time) {
  spin(static_cast<long>(static_cast<double>(time.count()) * turns_in_a_nanosecond));
}

void measure_work() {
  constexpr long k_turns = 200'000;
  constexpr int k_tries = 50;
  double least = 1e12;
  for (int i = 0; i < k_tries; ++i) {
    const stopwatch time;
    spin(k_turns);
    least = std::min(least, time.nanoseconds());
  }
  turns_in_a_nanosecond = k_turns / least;
}

}  // namespace bench
