// What a parked fiber occupies and what it takes to get there: a million of them on one channel.
#include <atomic>
#include <weft/weft.hpp>

#include "bench/micro.hpp"
#include "bench/support/memory.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

row_values park_many(const row_request& request) {
  const int fibers = request.scaled(1'000'000);
  return weft::run({.processors = request.processors}, [=] {
    const weft::chan<void> gate;
    weft::wait_group ended;
    std::atomic<int> arrived{0};
    ended.add(fibers);
    const double before = resident_bytes();
    const stopwatch time;
    for (int i = 0; i < fibers; ++i)
      weft::go([&, gate] {
        arrived.fetch_add(1, std::memory_order_relaxed);
        (void)gate.recv();
        ended.done();
      });
    while (arrived.load(std::memory_order_relaxed) != fibers) weft::this_fiber::yield();
    const double each = time.nanoseconds() / fibers;
    const double bytes = (resident_bytes() - before) / fibers;
    gate.close();
    ended.wait();
    return row_values{{"parked_bytes", bytes}, {"parked_spawn", each}};
  });
}

}  // namespace

rows memory_rows() { return {{"parked", {1, 2}, park_many}}; }

}  // namespace bench
