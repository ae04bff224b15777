// Fibers: started and joined, woken one by one, cancelled all at once.
#include <vector>
#include <weft/weft.hpp>

#include "bench/growth.hpp"
#include "bench/growth_parked.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

std::vector<growth_round> spawn_join(const growth_point& at) {
  return weft::run({.processors = at.processors}, [&] {
    return rounds_of(at, [&] {
      weft::wait_group ended;
      const stopwatch time;
      for (int i = 0; i < at.n; ++i) ended.go([] {});
      ended.wait();
      return growth_round{{"spawn_join", time.nanoseconds() / at.n}};
    });
  });
}

// Each in a channel of its own; the next is woken when the last has answered.
std::vector<growth_round> wake(const growth_point& at) {
  return weft::run({.processors = at.processors}, [&] {
    return rounds_of(at, [&] {
      const std::vector<weft::chan<void>> gates(static_cast<std::size_t>(at.n));
      const weft::chan<void> back;
      std::atomic<int> arrived{0};
      weft::wait_group ended;
      const stopwatch spawning;
      for (const auto& gate : gates)
        ended.go([&arrived, &gate, &back] {
          arrived.fetch_add(1, std::memory_order_relaxed);
          gate.recv();
          back.send();
        });
      while (arrived.load(std::memory_order_relaxed) != at.n) weft::this_fiber::yield();
      const double parked = spawning.nanoseconds();
      await_parked(arrived, at.n);
      const stopwatch waking;
      for (const auto& gate : gates) {
        gate.send();
        back.recv();
      }
      const double woken = waking.nanoseconds();
      ended.wait();
      return growth_round{{"park", parked / at.n}, {"wake", woken / at.n}};
    });
  });
}

std::vector<growth_round> cancel(const growth_point& at) {
  return weft::run({.processors = at.processors}, [&] {
    return rounds_of(at, [&] {
      const weft::chan<void> never;
      const auto scope = weft::with_cancel(weft::background());
      std::atomic<int> arrived{0};
      weft::wait_group ended;
      for (int i = 0; i < at.n; ++i)
        ended.go([&] {
          arrived.fetch_add(1, std::memory_order_relaxed);
          (void)never.recv(scope.ctx);
        });
      await_parked(arrived, at.n);
      const stopwatch time;
      scope.cancel();
      const double told = time.nanoseconds();
      ended.wait();
      return growth_round{{"cancel", told / at.n}, {"cancel_all", time.nanoseconds() / at.n}};
    });
  });
}

}  // namespace

std::vector<growth_question> fiber_growth() {
  const auto sizes = decades(100, 1'000'000);
  return {
      {"spawn", "fibers", {{"spawn_join", "a fiber started and joined"}}, sizes, {1, 2}, true, spawn_join},
      {"wake",
       "parked fibers",
       {{"park", "a fiber started until it parks"}, {"wake", "a parked fiber woken, and its answer"}},
       sizes,
       {1, 2},
       true,
       wake},
      {"cancel",
       "fibers that wait under one context",
       {{"cancel", "cancel() for each waiting fiber"}, {"cancel_all", "cancel() until the last fiber has run"}},
       sizes,
       {1, 2},
       true,
       cancel},
  };
}

}  // namespace bench
