// Waiters: on one channel, on a mutex; and a select over many channels.
#include <algorithm>
#include <mutex>
#include <vector>
#include <weft/weft.hpp>

#include "bench/growth.hpp"
#include "bench/growth_parked.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

// What it takes to end n fibers' waits on one channel, until the last has run.
template <class Wake>
double end_waits(int n, Wake&& wake) {
  const weft::chan<int> c;
  std::atomic<int> arrived{0};
  weft::wait_group ended;
  for (int i = 0; i < n; ++i)
    ended.go([&] {
      arrived.fetch_add(1, std::memory_order_relaxed);
      (void)c.recv();
    });
  await_parked(arrived, n);
  const stopwatch time;
  wake(c);
  ended.wait();
  return time.nanoseconds() / n;
}

std::vector<growth_round> channel_waiters(const growth_point& at) {
  return weft::run({.processors = at.processors}, [&] {
    return rounds_of(at, [&] {
      const double sent = end_waits(at.n, [&](const weft::chan<int>& c) {
        for (int i = 0; i < at.n; ++i) c.send(i);
      });
      const double closed = end_waits(at.n, [](const weft::chan<int>& c) { c.close(); });
      return growth_round{{"send", sent}, {"close", closed}};
    });
  });
}

std::vector<growth_round> mutex_waiters(const growth_point& at) {
  return weft::run({.processors = at.processors}, [&] {
    return rounds_of(at, [&] {
      weft::mutex m;
      std::atomic<int> arrived{0};
      weft::wait_group ended;
      m.lock();
      for (int i = 0; i < at.n; ++i)
        ended.go([&] {
          arrived.fetch_add(1, std::memory_order_relaxed);
          const std::lock_guard hold(m);
        });
      await_parked(arrived, at.n);
      const stopwatch time;
      m.unlock();
      ended.wait();
      return growth_round{{"mutex", time.nanoseconds() / at.n}};
    });
  });
}

// A select that waits: the sender sends only when it has been asked, that is from within the select. Which channel
// varies, so that a search from the front is seen.
std::vector<growth_round> select_over(const growth_point& at) {
  return weft::run({.processors = at.processors}, [&] {
    const int selects = std::clamp(20'000 / at.n, 10, 1000);
    const std::vector<weft::chan<void>> channels(static_cast<std::size_t>(at.n));
    const weft::chan<void> asked(1);
    const weft::task<void> sender = weft::spawn([&] {
      for (std::size_t i = 0; asked.recv(); ++i) channels[i * 7919 % channels.size()].send();
    });
    std::vector<weft::select_case> cases;
    for (const auto& c : channels) cases.emplace_back(weft::recv(c));
    auto all = rounds_of(at, [&] {
      const stopwatch time;
      for (int i = 0; i < selects; ++i) {
        asked.send();
        weft::select(cases);
      }
      return growth_round{{"select", time.nanoseconds() / selects / at.n}};
    });
    asked.close();
    return all;
  });
}

}  // namespace

std::vector<growth_question> channel_growth() {
  const auto sizes = decades(100, 1'000'000);
  return {
      {"channel",
       "fibers that receive from one channel",
       {{"send", "a send to each of the waiting fibers"}, {"close", "a close that wakes them, each"}},
       sizes,
       {1, 2},
       true,
       channel_waiters},
      {"mutex",
       "fibers that wait for a mutex",
       {{"mutex", "lock and unlock, each"}},
       sizes,
       {1, 2},
       true,
       mutex_waiters},
      {"select",
       "channels in a select",
       {{"select", "a select that waits, for each channel"}},
       decades(10, 10'000),
       {1},
       true,
       select_over},
  };
}

}  // namespace bench
