// oneTBB's side of the micro benchmarks: spawn and join, and trees of tasks, with the same options and JSON as micro.
//
// Its tasks cannot wait for each other's messages, locks or timers without keeping a thread from all others: it has no
// answer to the other questions.
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <array>
#include <stdexcept>

#include "bench/support/rows.hpp"
#include "bench/support/stopwatch.hpp"

namespace {

using bench::row_request;
using bench::row_values;
using bench::stopwatch;

double per_spawn(const row_request& request) {
  constexpr int k_batch = 1000;
  const int batches = request.scaled(2000);
  tbb::task_group all;
  const stopwatch time;
  for (int batch = 0; batch < batches; ++batch) {
    for (int i = 0; i < k_batch; ++i) all.run([] {});
    all.wait();
  }
  return time.nanoseconds() / batches / k_batch;
}

long skynet(long first, long leaves) {
  if (leaves == 1) return first;
  std::array<long, 10> sums;
  const long share = leaves / 10;
  tbb::task_group children;
  for (long i = 0; i < 10; ++i)
    children.run(
        [&sum = sums[static_cast<std::size_t>(i)], i, first, share] { sum = skynet(first + i * share, share); });
  children.wait();
  long sum = 0;
  for (long each : sums) sum += each;
  return sum;
}

double skynet_milliseconds(const row_request& request) {
  const long leaves = request.scaled(1'000'000);
  const stopwatch time;
  if (skynet(0, leaves) != leaves * (leaves - 1) / 2) throw std::logic_error("skynet: wrong sum");
  return time.milliseconds() * 1e6 / static_cast<double>(leaves);
}

int fib(int n) {
  if (n < 2) return n;
  int first = 0;
  tbb::task_group other;
  other.run([&first, n] { first = fib(n - 1); });
  const int second = fib(n - 2);
  other.wait();
  return first + second;
}

double fib_milliseconds(const row_request&) {
  for (int warm_up = 0; warm_up < 3; ++warm_up) (void)fib(25);
  const stopwatch time;
  if (fib(25) != 75025) throw std::logic_error("fib: wrong result");
  return time.milliseconds();
}

// In an arena of so many threads, this one among them.
template <class Work>
bench::row row_of(const char* name, Work work) {
  return {name, {1, 2}, [=](const row_request& request) {
            const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, request.processors);
            tbb::task_arena arena(static_cast<int>(request.processors));
            return row_values{{name, arena.execute([&] { return work(request); })}};
          }};
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_rows(
      argc, argv, "rival_tbb",
      {row_of("spawn_join", per_spawn), row_of("skynet", skynet_milliseconds), row_of("fib", fib_milliseconds)});
}
