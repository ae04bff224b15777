// A run from beginning to end.
//
// The thread that calls run never runs a fiber: it starts the threads, waits for the main fiber, and sees to the end:
//   running    until main returns
//   draining   background() is cancelled; leftovers may end by themselves, for `drain`
//   ending     canceled is thrown at each that is left, bound or not, at its next cancellation point; another `drain`
//   stopping   no fiber is left; workers go
// What is still there after that cannot be ended: the process leaves by _exit, for destructors of statics must not run
// under running threads.
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "runtime/base/clock.hpp"
#include "runtime/base/membarrier.hpp"
#include "runtime/event/poller.hpp"
#include "runtime/observe/crash.hpp"
#include "runtime/observe/parked_stack.hpp"
#include "runtime/observe/snapshot.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/preempt.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/threads.hpp"
#include "runtime/sync/context_node.hpp"
#include "runtime/sync/spawn.hpp"
#include "weft/fiber.hpp"
#include "weft/runtime.hpp"

namespace weft::runtime {
namespace {

constexpr int k_fatal_status = 2;
constexpr std::int64_t k_look_again_ns = 1'000'000;

void prepare(const options& o) {
  scheduler& s = sched();
  s.config = o;
  s.idle_processors = nullptr;
  s.idle_count.store(0, relaxed);
  s.spinning.store(0, relaxed);
  s.lingers_in_vain.store(0, relaxed);
  s.keeper_until.store(0, relaxed);
  s.blocked_workers.store(0, relaxed);
  s.foreign_started.store(0, relaxed);
  s.preempted_count.store(0, relaxed);
  s.preempted_starve.store(false, relaxed);
  s.long_turns.store(0, relaxed);
  s.starting_workers.store(0, relaxed);
  s.monitor_until.store(0, relaxed);
  s.coarse_clock.store(now_ns(), relaxed);
  s.processors.clear();
  s.alone.store(o.processors == 1, relaxed);
  s.active.store(o.processors, relaxed);
  s.wanted.store(o.processors, relaxed);
  s.resting_processors = nullptr;
  s.retiring = 0;
  for (unsigned i = 0; i < o.processors; ++i) {
    processor* p = s.processors.add(std::make_unique<processor>(i, o.stack_size));
    p->next_idle = s.idle_processors;
    s.idle_processors = p;
  }
  s.idle_count.store(o.processors, seq_cst);
  revive_root();
}

// Waits until no fiber is left, or for so long; true if none is.
bool drained(std::int64_t ns) {
  scheduler& s = sched();
  // count_end stores that a fiber ended and then loads the phase; we stored the phase and then load the counts.
  const bool told = heavy_fence();
  const std::int64_t until = saturating_add(now_ns(), ns);
  for (;;) {
    const std::uint32_t epoch = s.ended_epoch.load(acquire);
    if (s.live() <= 0) return true;
    if (now_ns() >= until) return false;
    futex_wait(s.ended_epoch, epoch, told ? until : std::min(until, now_ns() + k_look_again_ns));
  }
}

void throw_at_leftovers() {
  fiber_list woken;
  sched().phase.store(run_phase::ending, release);
  see_fibers_under_way();
  fibers().for_each([&](fiber& f) {
    if (!is_live(f)) return;
    {
      report line;
      line << "weft: leftover after main returned: ";
      describe(line, f);
      line << '\n';
    }
    write_stack(f);
    cancel_fiber(&f, k_run_ended, woken);
  });
  ready(woken);
}

// Lets no foreign thread in any more, and waits for those that are inside. False: one of them has started a fiber.
bool close_doors() noexcept {
  scheduler& s = sched();
  s.closed.store(true, seq_cst);
  while (s.visitors.load(seq_cst) != 0) ::sched_yield();
  // A worker may still be at a timer's callback, and what it leaves to do is a fiber:
  //     the last fiber                         a worker                          here
  //                                            on_deadline takes a reference
  //     releases its context; ends                                               live() == 0; stopping
  //                                            releases the last one: starts a
  //                                            fiber to destroy it … that nobody runs any more
  while (s.live() <= 0 && s.idle_count.load(seq_cst) != s.active.load(seq_cst)) ::sched_yield();
  if (s.live() <= 0) return true;
  s.closed.store(false, seq_cst);
  return false;
}

void stop() noexcept {
  scheduler& s = sched();
  s.closed.store(true, seq_cst);
  s.phase.store(run_phase::stopping, seq_cst);
  stop_threads();
  for (const auto& p : s.processors) s.unowned.take_all(p->timers, k_unowned);
  s.processors.clear();  // their stacks and blocks go back to the shared pools
  trim_stacks(true);
  s.phase.store(run_phase::stopped, seq_cst);
  // Threads of others that wait for descriptors are alone with them now.
  fiber_list waiting;
  the_poller().wake_all(waiting);
  ready(waiting);
}

void end_run() {
  scheduler& s = sched();
  s.phase.store(run_phase::draining, seq_cst);
  cancel_root();
  do {
    if (drained(s.config.drain_ns)) continue;
    throw_at_leftovers();
    if (drained(s.config.drain_ns)) continue;
    dump_to_stderr("weft: fatal: fibers that do not end after main returned");
    ::_exit(k_fatal_status);
  } while (!close_doors());
  stop();
}

}  // namespace
}  // namespace weft::runtime

namespace weft::detail {

void run_main(const runtime_options& given, void (*main)(void*), void* argument, std::source_location site) {
  using namespace runtime;
  const options o = resolve(given);
  scheduler& s = sched();
  static std::mutex starting;
  {
    const std::lock_guard hold(starting);
    if (s.running()) throw std::logic_error("weft::run: a runtime is already running in this process");
    prepare(o);
    s.phase.store(run_phase::running, seq_cst);
    s.closed.store(false, seq_cst);
    // Whoever still found it closed has put its timer into `unowned` by now.
    while (s.visitors.load(seq_cst) != 0) ::sched_yield();
    s.processors.front()->timers.take_all(s.unowned, s.processors.front()->index);
  }
  const crash_reports reports;
  note main_returned;
  try {
    prepare_preemption();
    start_worker_threads(o.processors + 1);  // and one to take over when a fiber is preempted or blocks
    start_service_threads();
    launch({.name = "main"}, site, [=, &main_returned] {
      main(argument);
      main_returned.post();
    });
  } catch (...) {  // no thread or no memory to be had
    stop();
    throw;
  }
  main_returned.wait();
  end_run();
}

}  // namespace weft::detail
