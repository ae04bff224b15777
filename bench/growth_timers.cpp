// Timers: made and stopped while n are set, and fibers that sleep.
#include <chrono>
#include <optional>
#include <vector>
#include <weft/weft.hpp>

#include "bench/growth.hpp"
#include "bench/growth_parked.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

// Spread over [0, 1), the same every time.
double scattered(int i) { return static_cast<double>(static_cast<unsigned>(i) * 2654435769U) / 4294967296.0; }

std::vector<growth_round> timers(const growth_point& at) {
  return weft::run({.processors = at.processors}, [&] {
    return rounds_of(at, [&] {
      std::vector<weft::timer> all;
      all.reserve(static_cast<std::size_t>(at.n));
      const stopwatch creating;
      for (int i = 0; i < at.n; ++i) all.emplace_back(1h + scattered(i) * 1h);
      const double create = creating.nanoseconds();
      const stopwatch stopping;
      for (const weft::timer& t : all) t.stop();
      return growth_round{{"timer_create", create / at.n}, {"timer_stop", stopping.nanoseconds() / at.n}};
    });
  });
}

// They wake at times scattered over a window that begins when all sleep, which takes `lead` for each; nothing if that
// was not enough. CPU time, since the window's length is chosen.
std::optional<double> sleep_and_wake(int n, std::chrono::microseconds lead) {
  const auto window = n * 3us;
  const auto begin = weft::clock::now() + 20ms + n * lead;
  std::atomic<int> arrived{0};
  weft::wait_group ended;
  for (int i = 0; i < n; ++i)
    ended.go([&, i] {
      arrived.fetch_add(1, std::memory_order_relaxed);
      weft::this_fiber::sleep_until(begin + std::chrono::duration_cast<weft::clock::duration>(scattered(i) * window));
    });
  await_parked(arrived, n);
  const bool in_time = weft::clock::now() < begin;
  weft::this_fiber::sleep_until(begin);
  const double before = process_cpu_milliseconds();
  ended.wait();
  if (!in_time) return std::nullopt;
  return (process_cpu_milliseconds() - before) * 1e6 / n;
}

std::vector<growth_round> sleepers(const growth_point& at) {
  return weft::run({.processors = at.processors}, [&] {
    return rounds_of(at, [&] {
      for (auto lead = 8us;; lead *= 2)
        if (const auto each = sleep_and_wake(at.n, lead)) return growth_round{{"sleeper", *each}};
    });
  });
}

}  // namespace

std::vector<growth_question> timer_growth() {
  const auto sizes = decades(100, 1'000'000);
  return {
      {"timers",
       "timers",
       {{"timer_create", "a timer made"}, {"timer_stop", "a timer stopped"}},
       sizes,
       {1},
       true,
       timers},
      {"sleepers",
       "sleeping fibers",
       {{"sleeper", "CPU time of a sleeper's wake-up and end"}},
       sizes,
       {1},
       true,
       sleepers},
  };
}

}  // namespace bench
