// What preemption may cost: how often it interrupts, and how often the monitor looks for it. No signals under
// ThreadSanitizer, and chaos interrupts as it likes: preemption.cpp.
#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/sched/processor.hpp"
#include "tests/support/preemption.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

namespace {

using test::k_chaos;
using test::k_no_signals;

// How often the monitor has slept. A run may begin before its monitor's thread has its name; then it is waited for.
long looks_of_monitor() {
  for (;; this_fiber::yield())
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string word;
      if (std::ifstream(task.path() / "comm") >> word; word != "weft-monitor") continue;
      for (std::ifstream status(task.path() / "status"); status >> word;)
        if (long n; word == "voluntary_ctxt_switches:" && status >> n) return n;
    }
}

}  // namespace

// Each takes two threads' waking: a loop beside a timer that always is due soon would have next to nothing left.
TEST_CASE("preemption: interruptions have a limit, however often somebody waits" *
          doctest::skip(k_no_signals || k_chaos)) {
  expect e;
  run(test::on(1), [&] {
    using runtime::processor;
    std::atomic<bool> stop{false};
    std::atomic<long> turns{0};
    auto loop = spawn([&] {
      for (; !stop; ++turns) test::spin(1);
    });
    while (turns == 0) this_fiber::yield();
    const auto before = runtime::preempt_stats();
    const auto begin = clock::now();
    for (int wakes = 0; wakes < 500; ++wakes) this_fiber::sleep_for(10us);
    const auto after = runtime::preempt_stats();
    const std::chrono::nanoseconds passed = clock::now() - begin;
    const auto pinned = static_cast<long>(after.pinned - before.pinned);
    const auto detached = static_cast<long>(after.detached - before.detached);  // they wait in the handler as well
    const long limit = processor::k_interruptions_at_once + passed.count() / processor::k_interruption_interval_ns + 1;
    e(pinned > 0);
    e(pinned <= limit + detached);
    stop = true;
    loop.join();
  });
  e.report();
}

// A turn that lasts has its thread's timer set, and the monitor nothing to follow up: it looked on every 40 us.
TEST_CASE("preemption: the monitor looks about every millisecond, though a timer is overdue all the time" *
          doctest::skip(k_no_signals || k_chaos)) {
  test::await_no_weft_threads();  // nor is the monitor of the run before taken for this one's
  expect e;
  run(test::on(1), [&] {
    std::atomic<bool> stop{false};
    auto loop = spawn([&] {
      for (; !stop; this_fiber::yield())
        for (const auto until = clock::now() + 2ms; clock::now() < until;) test::spin(100);
    });
    const long looks_before = looks_of_monitor();
    const auto detached_before = runtime::preempt_stats().detached;
    const auto begin = clock::now();
    for (int wakes = 0; wakes < 500; ++wakes) this_fiber::sleep_for(10us);
    const auto milliseconds = static_cast<long>((clock::now() - begin) / 1ms);
    const auto detached = static_cast<long>(runtime::preempt_stats().detached - detached_before);
    const long looks = looks_of_monitor() - looks_before;
    constexpr long k_quick = 60;  // looks in quick succession, at the beginning and after a processor was taken
    e(looks > 0);
    e(looks <= 4 * milliseconds + k_quick * (1 + detached));
    stop = true;
    loop.join();
  });
  e.report();
}
