// Short fibers (10 us) among long ones (10 ms): how late the short ones begin. One fiber starts each at its time; that
// it is late, too, counts.
#include <weft/weft.hpp>

#include "bench/load.hpp"
#include "bench/load_schedule.hpp"
#include "bench/load_work.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

using weft::clock;

struct request {
  clock::time_point due;
  clock::time_point stamp{};  // a short one's beginning, a long one's end
  bool is_long;

  double late() const { return static_cast<double>((stamp - due).count()); }
};

void serve(request& r) {
  if (!r.is_long) r.stamp = clock::now();
  work_for(r.is_long ? k_long_work : k_short_work);
  if (r.is_long) r.stamp = clock::now();
}

}  // namespace

load_samples load_tail(const load_workload& load, std::chrono::milliseconds time, load_kind kind) {
  const bool migratable = kind == load_kind::migratable;
  const auto begin = clock::now() + 5ms;
  std::vector<request> requests;
  for (const arrival& a : schedule_of(load.amount / 100.0, load.processors, time))
    requests.push_back({.due = begin + std::chrono::nanoseconds(a.at), .is_long = a.is_long});
  weft::wait_group served;
  served.add(static_cast<int>(requests.size()));
  weft::this_fiber::sleep_until(begin);
  const stopwatch wall;
  const double cpu = process_cpu_milliseconds();
  for (request& r : requests) {
    if (clock::now() < r.due) weft::this_fiber::sleep_until(r.due);
    const auto body = [&r, &served] {
      serve(r);
      served.done();
    };
    if (r.is_long)
      weft::go({.migratable = migratable}, body);
    else
      weft::go(body);
  }
  served.wait();
  const double used = (process_cpu_milliseconds() - cpu) / wall.milliseconds() / load.processors * 100;
  load_samples all{{"cpu", {used}}};
  for (const request& r : requests) all[r.is_long ? "long" : "short"].push_back(r.late());
  return all;
}

}  // namespace bench
