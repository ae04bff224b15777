// Trees of fibers: skynet (ten children each, a million leaves) and fib(25) with a task for one of its two calls.
//
// Each runtime does it its own way: weft by tasks, Go by channels.
#include <array>
#include <stdexcept>
#include <weft/weft.hpp>

#include "bench/micro.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

long skynet(long first, long leaves) {
  if (leaves == 1) return first;
  std::array<weft::task<long>, 10> children;
  const long share = leaves / 10;
  for (int i = 0; i < 10; ++i)
    children[static_cast<std::size_t>(i)] = weft::spawn([=] { return skynet(first + i * share, share); });
  long sum = 0;
  for (auto& child : children) sum += child.join();
  return sum;
}

int fib(int n) {
  if (n < 2) return n;
  auto first = weft::spawn([n] { return fib(n - 1); });
  const int second = fib(n - 2);
  return first.join() + second;
}

double skynet_milliseconds(const row_request& request) {
  const long leaves = request.scaled(1'000'000);
  return weft::run({.processors = request.processors}, [=] {
    const stopwatch time;
    if (skynet(0, leaves) != leaves * (leaves - 1) / 2) throw std::logic_error("skynet: wrong sum");
    return time.milliseconds() * 1e6 / static_cast<double>(leaves);
  });
}

double fib_milliseconds(const row_request& request) {
  return weft::run({.processors = request.processors}, [] {
    for (int warm_up = 0; warm_up < 3; ++warm_up) (void)fib(25);
    const stopwatch time;
    if (fib(25) != 75025) throw std::logic_error("fib: wrong result");
    return time.milliseconds();
  });
}

}  // namespace

rows fork_join_rows() {
  return {{"skynet", {1, 2}, [](const row_request& r) { return row_values{{"skynet", skynet_milliseconds(r)}}; }},
          {"fib", {1, 2}, [](const row_request& r) { return row_values{{"fib", fib_milliseconds(r)}}; }}};
}

}  // namespace bench
