// What a lock and unlock costs when eight fibers want the same mutex all the time.
#include <mutex>
#include <stdexcept>
#include <weft/weft.hpp>

#include "bench/micro.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

constexpr int k_fibers = 8;

double per_lock(const row_request& request) {
  const int locks = request.scaled(2'000'000);
  return weft::run({.processors = request.processors}, [=] {
    weft::mutex m;
    weft::wait_group ended;
    long counted = 0;
    const stopwatch time;
    for (int i = 0; i < k_fibers; ++i)
      ended.go([&m, &counted, locks] {
        for (int n = 0; n < locks; ++n) {
          const std::lock_guard hold(m);
          ++counted;
        }
      });
    ended.wait();
    if (counted != static_cast<long>(locks) * k_fibers) throw std::logic_error("the mutex does not exclude");
    return time.nanoseconds() / static_cast<double>(counted);
  });
}

}  // namespace

rows mutex_rows() {
  return {{"mutex", {1, 2}, [](const row_request& r) { return row_values{{"mutex", per_lock(r)}}; }}};
}

}  // namespace bench
