// What starting a fiber that does nothing and joining it costs, in batches of 1,000.
#include <vector>
#include <weft/weft.hpp>

#include "bench/micro.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

constexpr int k_batch = 1000;

double per_spawn(const row_request& request) {
  const int batches = request.scaled(2000);
  return weft::run({.processors = request.processors}, [=] {
    std::vector<weft::task<void>> tasks(k_batch);
    const stopwatch time;
    for (int batch = 0; batch < batches; ++batch) {
      for (auto& task : tasks) task = weft::spawn([] {});
      for (auto& task : tasks) task.join();
    }
    return time.nanoseconds() / batches / k_batch;
  });
}

}  // namespace

rows spawn_rows() {
  return {{"spawn_join", {1, 2}, [](const row_request& r) { return row_values{{"spawn_join", per_spawn(r)}}; }}};
}

}  // namespace bench
