// One fiber that waits, while nothing else happens: how late it runs when it ends, and what CPU time a wake-up takes,
// the search for work before and after it included.
#include <unistd.h>

#include <optional>
#include <stdexcept>
#include <weft/file.hpp>
#include <weft/weft.hpp>

#include "bench/load.hpp"
#include "bench/load_events.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

// wait() waits once and gives by how much it was late. CPU time of a thread that is not ours is taken off.
template <class Wait, class Foreign>
load_samples wakes(const std::string& name, std::chrono::milliseconds time, Wait&& wait, Foreign&& foreign) {
  load_samples all;
  std::vector<double>& late = all[name];
  wait();
  const auto end = weft::clock::now() + time;
  const double cpu = process_cpu_milliseconds();
  const std::chrono::nanoseconds not_ours = foreign();
  do {
    late.push_back(static_cast<double>(wait()));
  } while (weft::clock::now() < end);
  const double used = (process_cpu_milliseconds() - cpu) * 1e6 - static_cast<double>((foreign() - not_ours).count());
  all[name + "_cpu"].push_back(used / static_cast<double>(late.size()));
  return all;
}

load_samples by_timer(std::chrono::microseconds pause, std::chrono::milliseconds time) {
  const auto wait = [pause] {
    const auto due = weft::clock::now() + pause;
    weft::this_fiber::sleep_until(due);
    return (weft::clock::now() - due).count();
  };
  return wakes("timer", time, wait, [] { return 0ns; });
}

load_samples by_thread(std::chrono::microseconds pause, std::chrono::milliseconds time) {
  const weft::chan<std::int64_t> events(1);
  std::atomic<bool> answer{false};
  std::optional<event_source> source(
      std::in_place, pause, [&](std::int64_t stamp) { events.send(stamp); }, [&] { return answer.exchange(false); });
  const auto wait = [&] {
    const std::int64_t stamp = *events.recv();
    const std::int64_t late = monotonic_now() - stamp;
    answer = true;
    return late;
  };
  auto all = wakes("thread", time, wait, [&] { return source->cpu_time(); });
  weft::blocking([&] { source.reset(); });
  return all;
}

load_samples by_pipe(std::chrono::microseconds pause, std::chrono::milliseconds time) {
  const event_pipes pipes;
  std::optional<event_source> source(
      std::in_place, pause, [&](std::int64_t stamp) { pipes.send(stamp); }, [&] { return pipes.answered(); });
  const auto reader = weft::unwrap(weft::io::file::adopt(::dup(pipes.events())));
  const auto wait = [&] {
    std::int64_t stamp = 0;
    if (weft::unwrap(reader.read(std::as_writable_bytes(std::span(&stamp, 1)))) != sizeof stamp)
      throw std::runtime_error("load: the pipe gave half an event");
    const std::int64_t late = monotonic_now() - stamp;
    if (::write(pipes.answers(), "x", 1) != 1) throw std::runtime_error("load: the pipe takes no answer");
    return late;
  };
  auto all = wakes("pipe", time, wait, [&] { return source->cpu_time(); });
  weft::blocking([&] { source.reset(); });
  return all;
}

}  // namespace

load_samples load_idle(const load_workload& load, std::chrono::milliseconds time) {
  const std::chrono::microseconds pause(load.amount);
  if (load.name == "timer") return by_timer(pause, time);
  if (load.name == "thread") return by_thread(pause, time);
  return by_pipe(pause, time);
}

}  // namespace bench
