// What giving up the processor to the next fiber costs.
#include <weft/weft.hpp>

#include "bench/micro.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

double per_yield(const row_request& request, int fibers, int yields) {
  return weft::run({.processors = request.processors}, [=] {
    weft::wait_group ended;
    const stopwatch time;
    for (int i = 0; i < fibers; ++i)
      ended.go([=] {
        for (int n = 0; n < yields; ++n) weft::this_fiber::yield();
      });
    ended.wait();
    return time.nanoseconds() / fibers / yields;
  });
}

}  // namespace

rows yield_rows() {
  return {{"yield_2",
           {1},
           [](const row_request& r) { return row_values{{"yield_2", per_yield(r, 2, r.scaled(2'000'000))}}; }},
          {"yield_1000", {1, 2}, [](const row_request& r) {
             return row_values{{"yield_1000", per_yield(r, 1000, r.scaled(4000))}};
           }}};
}

}  // namespace bench
