// The same work on more and more processors, also on more than there are CPUs.
#include <stdexcept>
#include <vector>
#include <weft/weft.hpp>

#include "bench/growth.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

constexpr int k_pairs = 8;

std::vector<growth_round> ping_pong(const growth_point& at) {
  constexpr int k_trips = 5000;
  return weft::run({.processors = at.processors}, [&] {
    return rounds_of(at, [&] {
      weft::wait_group ended;
      const stopwatch time;
      for (int pair = 0; pair < k_pairs; ++pair) {
        const weft::chan<int> there, back;
        ended.go([=] {
          for (int i = 0; i < k_trips; ++i) {
            there.send(i);
            back.recv();
          }
          there.close();
        });
        ended.go([=] {
          for (const int v : there) back.send(v);
        });
      }
      ended.wait();
      return growth_round{{"ping_pong", time.nanoseconds() / k_pairs / k_trips}};
    });
  });
}

std::vector<growth_round> storm(const growth_point& at) {
  constexpr int k_storms = 8, k_batches = 5, k_fibers = 1000;
  return weft::run({.processors = at.processors}, [&] {
    return rounds_of(at, [&] {
      weft::wait_group storms;
      const stopwatch time;
      for (int i = 0; i < k_storms; ++i)
        storms.go([] {
          for (int batch = 0; batch < k_batches; ++batch) {
            weft::wait_group ended;
            for (int f = 0; f < k_fibers; ++f) ended.go([] {});
            ended.wait();
          }
        });
      storms.wait();
      return growth_round{{"storm", time.nanoseconds() / k_storms / k_batches / k_fibers}};
    });
  });
}

// One fiber a processor reads; CPU time, so that processors without a CPU of their own cost nothing.
std::vector<growth_round> read_err(const growth_point& at) {
  constexpr int k_reads = 1'000'000;
  return weft::run({.processors = at.processors}, [&] {
    const auto scope = weft::with_cancel(weft::background());
    return rounds_of(at, [&] {
      weft::wait_group readers;
      std::atomic<bool> wrong{false};
      const double before = process_cpu_milliseconds();
      for (unsigned p = 0; p < at.processors; ++p)
        readers.go([&wrong, &ctx = scope.ctx] {
          for (int i = 0; i < k_reads; ++i)
            if (ctx.err()) wrong = true;
        });
      readers.wait();
      if (wrong) throw std::logic_error("growth: a context is cancelled that is not");
      return growth_round{{"err", (process_cpu_milliseconds() - before) * 1e6 / k_reads / at.processors}};
    });
  });
}

}  // namespace

std::vector<growth_question> processor_growth() {
  const std::vector<int> sizes{1, 2, 4, 8};
  return {
      {"ping_pong", "processors", {{"ping_pong", "a round trip of one of 8 pairs"}}, sizes, {}, true, ping_pong},
      {"storm", "processors", {{"storm", "a fiber started and joined by one of 8"}}, sizes, {}, true, storm},
      {"err", "processors", {{"err", "CPU time of ctx.err(), read by each"}}, sizes, {}, true, read_err},
  };
}

}  // namespace bench
