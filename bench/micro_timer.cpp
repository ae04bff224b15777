// What timers cost: one made and stopped again, and 100,000 fibers whose sleeps end over a second.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>
#include <weft/weft.hpp>

#include "bench/micro.hpp"
#include "bench/support/statistics.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

// One fiber a processor, so that two processors show what they share.
row_values create_and_stop(const row_request& request) {
  const int fibers = static_cast<int>(request.processors);
  const int timers = request.scaled(2'000'000) / fibers;
  const double each = weft::run({.processors = request.processors}, [=] {
    weft::wait_group ended;
    const stopwatch time;
    for (int i = 0; i < fibers; ++i)
      ended.go([=] {
        for (int n = 0; n < timers; ++n) {
          const weft::timer t(1h);
          t.stop();
        }
      });
    ended.wait();
    return time.nanoseconds() / timers / fibers;
  });
  return {{"timer_stop", each}};
}

row_values sleepers(const row_request& request) {
  const int fibers = request.scaled(100'000);
  std::vector<std::int64_t> late(static_cast<std::size_t>(fibers));
  const double cpu = weft::run({.processors = request.processors}, [&late, fibers] {
    weft::wait_group ended;
    const double before = process_cpu_milliseconds();
    for (int i = 0; i < fibers; ++i)
      ended.go([&late, i, fibers] {
        const auto due = weft::clock::now() + std::chrono::duration_cast<weft::clock::duration>(1s) * (i + 1) / fibers;
        weft::this_fiber::sleep_until(due);
        late[static_cast<std::size_t>(i)] = (weft::clock::now() - due).count();
      });
    ended.wait();
    return process_cpu_milliseconds() - before;
  });
  std::ranges::sort(late);
  return {{"sleepers_cpu", cpu},
          {"sleepers_p50", static_cast<double>(percentile(late, 50)) / 1e3},
          {"sleepers_p99", static_cast<double>(percentile(late, 99)) / 1e3}};
}

}  // namespace

rows timer_rows() { return {{"timer_stop", {1, 2}, create_and_stop}, {"sleepers", {2}, sleepers}}; }

}  // namespace bench
