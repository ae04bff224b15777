// Yield, spawn and join, mutex, trees of fibers, memory: as in micro_yield, micro_spawn, micro_mutex, micro_fork_join
// and micro_memory.
#include <atomic>
#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/future.hpp>
#include <boost/fiber/mutex.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/unbuffered_channel.hpp>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "bench/rivals/boost_fiber/rows.hpp"
#include "bench/rivals/boost_fiber/workers.hpp"
#include "bench/support/memory.hpp"
#include "bench/support/stopwatch.hpp"

namespace rival {
namespace {

using bench::row_request;
using bench::row_values;
using bench::stopwatch;
using boost::fibers::fiber;

void join(std::vector<fiber>& fibers) {
  for (fiber& f : fibers) f.join();
}

double per_yield(int count, int yields) {
  std::vector<fiber> fibers;
  const stopwatch time;
  for (int i = 0; i < count; ++i)
    fibers.push_back(spawn([=] {
      for (int n = 0; n < yields; ++n) boost::this_fiber::yield();
    }));
  join(fibers);
  return time.nanoseconds() / count / yields;
}

double per_spawn(const row_request& request) {
  constexpr int k_batch = 1000;
  const int batches = request.scaled(request.processors == 1 ? 2000 : 200);
  std::vector<fiber> fibers(k_batch);
  const stopwatch time;
  for (int batch = 0; batch < batches; ++batch) {
    for (fiber& f : fibers) f = spawn([] {});
    join(fibers);
  }
  return time.nanoseconds() / batches / k_batch;
}

double per_lock(const row_request& request) {
  const int locks = request.scaled(200'000);
  boost::fibers::mutex m;
  long counted = 0;
  std::vector<fiber> fibers;
  const stopwatch time;
  for (int i = 0; i < 8; ++i)
    fibers.push_back(spawn([&m, &counted, locks] {
      for (int n = 0; n < locks; ++n) {
        const std::lock_guard hold(m);
        ++counted;
      }
    }));
  join(fibers);
  return time.nanoseconds() / static_cast<double>(counted);
}

using results = boost::fibers::buffered_channel<long>;

void skynet(results& to, long first, long leaves) {
  if (leaves == 1) {
    to.push(first);
    return;
  }
  results from(16);
  const long share = leaves / 10;
  for (int i = 0; i < 10; ++i) spawn([&from, i, first, share] { skynet(from, first + i * share, share); }).detach();
  long sum = 0;
  for (int i = 0; i < 10; ++i) sum += from.value_pop();
  to.push(sum);
}

double skynet_milliseconds(const row_request& request) {
  const long leaves = request.scaled(1'000'000);
  results to(2);
  const stopwatch time;
  spawn([&to, leaves] { skynet(to, 0, leaves); }).detach();
  if (to.value_pop() != leaves * (leaves - 1) / 2) throw std::logic_error("skynet: wrong sum");
  return time.milliseconds() * 1e6 / static_cast<double>(leaves);
}

int fib(int n) {
  if (n < 2) return n;
  int first = 0;
  fiber left = spawn([&first, n] { first = fib(n - 1); });
  const int second = fib(n - 2);
  left.join();
  return first + second;
}

double fib_milliseconds(const row_request&) {
  for (int warm_up = 0; warm_up < 3; ++warm_up) (void)fib(25);
  const stopwatch time;
  if (fib(25) != 75025) throw std::logic_error("fib: wrong result");
  return time.milliseconds();
}

row_values park_many(const row_request& request) {
  const int count = request.scaled(1'000'000);
  boost::fibers::unbuffered_channel<int> gate;
  std::atomic<int> arrived{0};
  std::vector<fiber> fibers(static_cast<std::size_t>(count));
  const double before = bench::resident_bytes();
  const stopwatch time;
  for (fiber& f : fibers)
    f = spawn([&] {
      arrived.fetch_add(1, std::memory_order_relaxed);
      int none;
      (void)gate.pop(none);
    });
  while (arrived.load(std::memory_order_relaxed) != count) boost::this_fiber::yield();
  const double each = time.nanoseconds() / count;
  const double bytes = (bench::resident_bytes() - before) / count;
  gate.close();
  join(fibers);
  return {{"parked_bytes", bytes}, {"parked_spawn", each}};
}

}  // namespace

bench::rows fiber_rows() {
  return {
      {"yield_2", {1}, [](const row_request& r) { return row_values{{"yield_2", per_yield(2, r.scaled(1'000'000))}}; }},
      {"yield_1000",
       {1, 2},
       [](const row_request& r) { return row_values{{"yield_1000", per_yield(1000, r.scaled(2000))}}; }},
      {"spawn_join", {1, 2}, [](const row_request& r) { return row_values{{"spawn_join", per_spawn(r)}}; }},
      {"mutex", {1, 2}, [](const row_request& r) { return row_values{{"mutex", per_lock(r)}}; }},
      {"skynet", {1, 2}, [](const row_request& r) { return row_values{{"skynet", skynet_milliseconds(r)}}; }},
      {"fib", {1, 2}, [](const row_request& r) { return row_values{{"fib", fib_milliseconds(r)}}; }},
      {"parked", {1, 2}, park_many}};
}

}  // namespace rival
