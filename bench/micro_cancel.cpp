// Cancelling 1, 1,000 and 100,000 fibers parked in `ctx.done()`, bound ones in a receive; cancel_latency asks the same
// of every kind of wait.
#include <algorithm>
#include <vector>

#include "bench/cancel_rounds.hpp"
#include "bench/micro.hpp"
#include "bench/support/statistics.hpp"

namespace bench {
namespace {

// In each round, when the last fiber had run.
std::vector<std::int64_t> last_of_rounds(const row_request& request, int fibers, int rounds, bool bound = false) {
  std::vector<std::int64_t> last;
  run_cancel_rounds({bound ? wait_kind::recv : wait_kind::done, fibers, request.processors, bound},
                    std::max(1, rounds / 10), rounds,
                    [&](const cancel_round& round) { last.push_back(std::ranges::max(round.latencies_ns)); });
  std::ranges::sort(last);
  return last;
}

double microseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

row_values cancel_1(const row_request& request) {
  const auto last = last_of_rounds(request, 1, request.scaled(5000));
  return {{"cancel_1_p50", microseconds(percentile(last, 50))}, {"cancel_1_p99", microseconds(percentile(last, 99))}};
}

row_values cancel_1000(const row_request& request) {
  return {{"cancel_1000", microseconds(percentile(last_of_rounds(request, 1000, request.scaled(200)), 50))}};
}

row_values cancel_100000(const row_request& request) {
  return {
      {"cancel_100000", microseconds(percentile(last_of_rounds(request, 100'000, request.quick ? 1 : 5), 50)) / 1e3}};
}

row_values cancel_bound(const row_request& request) {
  return {{"cancel_bound",
           microseconds(percentile(last_of_rounds(request, 100'000, request.quick ? 1 : 5, true), 50)) / 1e3}};
}

}  // namespace

rows cancel_rows() {
  return {{"cancel_1", {1}, cancel_1},
          {"cancel_1000", {2}, cancel_1000},
          {"cancel_100000", {2}, cancel_100000},
          {"cancel_bound", {2}, cancel_bound}};
}

}  // namespace bench
