// Channels, sleepers and cancellation: as in micro_channel, micro_timer and micro_cancel.
//
// Boost.Fiber has no cancellation; what one writes instead is a flag under a condition variable, and that is measured.
#include <algorithm>
#include <atomic>
#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/condition_variable.hpp>
#include <boost/fiber/mutex.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/unbuffered_channel.hpp>
#include <mutex>
#include <vector>

#include "bench/rivals/boost_fiber/rows.hpp"
#include "bench/rivals/boost_fiber/workers.hpp"
#include "bench/support/quiet.hpp"
#include "bench/support/statistics.hpp"
#include "bench/support/stopwatch.hpp"

namespace rival {
namespace {

using bench::row_request;
using bench::row_values;
using bench::stopwatch;
using boost::fibers::fiber;
using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

void join(std::vector<fiber>& fibers) {
  for (fiber& f : fibers) f.join();
}

double per_round_trip(const row_request& request) {
  const int trips = request.scaled(500'000);
  boost::fibers::unbuffered_channel<int> there;
  boost::fibers::unbuffered_channel<int> back;
  fiber echo = spawn([&] {
    for (int v : there) back.push(v);
  });
  const stopwatch time;
  for (int i = 0; i < trips; ++i) {
    there.push(i);
    (void)back.value_pop();
  }
  const double each = time.nanoseconds() / trips;
  there.close();
  echo.join();
  return each;
}

double per_item(const row_request& request, int senders, int receivers) {
  const int items = request.scaled(2'000'000);
  boost::fibers::buffered_channel<int> c(128);
  std::vector<fiber> sending;
  std::vector<fiber> receiving;
  const stopwatch time;
  for (int r = 0; r < receivers; ++r)
    receiving.push_back(spawn([&c] {
      int v;
      while (c.pop(v) == boost::fibers::channel_op_status::success) {
      }
    }));
  for (int s = 0; s < senders; ++s)
    sending.push_back(spawn([&c, items, senders] {
      for (int i = 0; i < items / senders; ++i) c.push(i);
    }));
  join(sending);
  c.close();
  join(receiving);
  return time.nanoseconds() / items;
}

row_values sleepers(const row_request& request) {
  const int count = request.scaled(100'000);
  std::vector<std::int64_t> late(static_cast<std::size_t>(count));
  std::vector<fiber> fibers(late.size());
  const double before = bench::process_cpu_milliseconds();
  for (int i = 0; i < count; ++i)
    fibers[static_cast<std::size_t>(i)] = spawn([&late, i, count] {
      const auto due = clock::now() + std::chrono::nanoseconds(1s) * (i + 1) / count;
      boost::this_fiber::sleep_until(due);
      late[static_cast<std::size_t>(i)] = std::chrono::nanoseconds(clock::now() - due).count();
    });
  join(fibers);
  const double cpu = bench::process_cpu_milliseconds() - before;
  std::ranges::sort(late);
  return {{"sleepers_cpu", cpu},
          {"sleepers_p50", static_cast<double>(bench::percentile(late, 50)) / 1e3},
          {"sleepers_p99", static_cast<double>(bench::percentile(late, 99)) / 1e3}};
}

// From the cancellation until the last fiber had run, in nanoseconds.
std::int64_t cancel_round(int count) {
  boost::fibers::mutex lock;
  boost::fibers::condition_variable changed;
  bool canceled = false;
  std::atomic<int> arrived{0};
  std::vector<clock::time_point> stamps(static_cast<std::size_t>(count));
  std::vector<fiber> fibers(stamps.size());
  for (std::size_t i = 0; i < fibers.size(); ++i)
    fibers[i] = spawn([&, i] {
      arrived.fetch_add(1, std::memory_order_relaxed);
      std::unique_lock hold(lock);
      changed.wait(hold, [&] { return canceled; });
      stamps[i] = clock::now();
    });
  while (arrived.load(std::memory_order_relaxed) != count) boost::this_fiber::yield();
  for (int i = 0; i < 3; ++i) boost::this_fiber::yield();
  (void)bench::others_asleep(20ms);

  const clock::time_point begin = clock::now();
  {
    const std::lock_guard hold(lock);
    canceled = true;
  }
  changed.notify_all();
  join(fibers);
  return std::chrono::nanoseconds(std::ranges::max(stamps) - begin).count();
}

std::vector<std::int64_t> last_of_rounds(int count, int rounds) {
  for (int warm_up = 0; warm_up < std::max(1, rounds / 10); ++warm_up) (void)cancel_round(count);
  std::vector<std::int64_t> last;
  for (int i = 0; i < rounds; ++i) last.push_back(cancel_round(count));
  std::ranges::sort(last);
  return last;
}

double microseconds(const std::vector<std::int64_t>& last, double percent) {
  return static_cast<double>(bench::percentile(last, percent)) / 1e3;
}

row_values cancel_1(const row_request& r) {
  const auto last = last_of_rounds(1, r.scaled(5000));
  return {{"cancel_1_p50", microseconds(last, 50)}, {"cancel_1_p99", microseconds(last, 99)}};
}

row_values cancel_1000(const row_request& r) {
  return {{"cancel_1000", microseconds(last_of_rounds(1000, r.scaled(200)), 50)}};
}

row_values cancel_100000(const row_request& r) {
  return {{"cancel_100000", microseconds(last_of_rounds(100'000, r.quick ? 1 : 5), 50) / 1e3}};
}

}  // namespace

bench::rows channel_rows() {
  return {
      {"ping_pong", {1, 2}, [](const row_request& r) { return row_values{{"ping_pong", per_round_trip(r)}}; }},
      {"buffered_1_1", {1, 2}, [](const row_request& r) { return row_values{{"buffered_1_1", per_item(r, 1, 1)}}; }},
      {"buffered_4_4", {1, 2}, [](const row_request& r) { return row_values{{"buffered_4_4", per_item(r, 4, 4)}}; }},
      {"sleepers", {2}, sleepers},
      {"cancel_1", {1}, cancel_1},
      {"cancel_1000", {2}, cancel_1000},
      {"cancel_100000", {2}, cancel_100000}};
}

}  // namespace rival
