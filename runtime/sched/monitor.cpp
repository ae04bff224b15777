#include "runtime/sched/monitor.hpp"

#include <algorithm>
#include <exception>

#include "runtime/base/clock.hpp"
#include "runtime/base/fatal.hpp"
#include "runtime/sched/blocked.hpp"
#include "runtime/sched/interrupts.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sched/threads.hpp"
#include "runtime/stack/stack_pool.hpp"

namespace weft::runtime {
namespace {

constexpr std::int64_t k_shortest_look_ns = 20'000;
constexpr std::int64_t k_longest_look_ns = 10'000'000;
constexpr std::int64_t k_waiting_look_ns = 1'000'000;  // while timers are set: one may be due behind a long turn
constexpr int k_quick_looks = 50;                      // this many short intervals before they begin to double
constexpr std::int64_t k_linger_ns = 50'000'000;       // idle time before deep sleep
constexpr std::int64_t k_trim_interval_ns = 1'000'000'000;
constexpr std::int64_t k_owed_wake_ns = 20'000;

deadlock_handler on_deadlock = nullptr;
atomic<std::uint32_t> outside_events{0};

bool all_idle() noexcept {
  scheduler& s = sched();
  return s.idle_count.load(seq_cst) == s.processors.size() && s.global_size.load(seq_cst) == 0;
}

bool somebody_waits(const processor& p, std::int64_t now) noexcept {
  return !p.ring.empty() || p.runnext.load(relaxed) != nullptr || sched().global_size.load(relaxed) != 0 ||
         p.timers.earliest() <= now;
}

// Looks at one processor; true if something was done.
bool look_at(processor& p, std::int64_t now) noexcept {
  scheduler& s = sched();
  const std::uint32_t tick = p.tick.load(relaxed);
  const bool same_turn = tick == p.seen_tick && p.owner.load(relaxed) != nullptr;
  if (!same_turn) {
    p.seen_tick = tick;
    p.seen_since = now;
    return false;
  }
  const std::int64_t turn = now - p.seen_since;
  bool acted = false;
  if (p.wake_owed.load(relaxed) && turn >= k_owed_wake_ns && s.idle_count.load(relaxed) != 0) {
    p.wake_owed.store(false, relaxed);
    p.park_habit.store(0, relaxed);  // it did not park: no more credit
    wake_one();
    acted = true;
  }
  const bool overdue = p.timers.earliest() <= now;
  if ((overdue || (turn >= s.config.slice_ns && somebody_waits(p, now))) && !p.attention.load(relaxed)) {
    p.attention.store(true, relaxed);
    acted = true;
  }
  // Work that an idle processor could take, or timers it could run.
  if (s.idle_count.load(seq_cst) != 0 && somebody_waits(p, now)) wake_one();
  return acted;
}

std::int64_t earliest_timer() noexcept {
  std::int64_t earliest = k_forever;
  for (const auto& p : sched().processors) earliest = std::min(earliest, p->timers.earliest());
  return earliest;
}

// Nothing runs, nothing is due, nobody outside could bring anything.
bool deadlocked() noexcept {
  scheduler& s = sched();
  if (s.phase.load(acquire) != run_phase::running || on_deadlock == nullptr) return false;
  if (outside_events.load(acquire) != 0 || s.blocked_workers.load(acquire) != 0) return false;
  const auto still = [&] { return all_idle() && earliest_timer() == k_forever && s.live() > 0; };
  if (!still() || count_foreign_threads() != 0) return false;
  // A foreign thread may have made something ready just before it ended: then it is seen now.
  return still();
}

void report_if_deadlocked() noexcept {
  try {
    if (deadlocked()) on_deadlock();
  } catch (const std::exception&) {
    // no memory to look at /proc: another time
  }
}

// Workers blocked in the kernel gave their processors to others; there must be a thread for each processor.
void replace_blocked() noexcept {
  scheduler& s = sched();
  const std::size_t wanted =
      std::min<std::size_t>(s.processors.size() + s.blocked_workers.load(acquire), s.config.max_threads);
  if (s.worker_count >= wanted) return;
  try {
    start_worker_threads(static_cast<unsigned>(wanted - s.worker_count));
  } catch (const std::exception&) {
    return;  // as many threads as the system gives; the blocked ones come back
  }
  std::atomic_thread_fence(seq_cst);
  wake_one();
}

void trim(std::int64_t now) noexcept {
  static std::int64_t last = 0;
  if (now - last < k_trim_interval_ns) return;
  last = now;
  trim_stacks(false);
}

// Until the next look; woken early by the end of the run.
void pause(std::int64_t now, std::int64_t interval) noexcept {
  const auto waits = [now](const auto& p) { return somebody_waits(*p, now); };
  if (earliest_timer() != k_forever || std::ranges::any_of(sched().processors, waits))
    interval = std::min(interval, k_waiting_look_ns);
  sched().monitor_wake.wait(now + interval);
}

void deep_sleep() noexcept {
  scheduler& s = sched();
  report_if_deadlocked();
  s.monitor_sleeps.store(true, seq_cst);
  // Partner: monitor_needed, called by whoever has taken a processor out of idle_count.
  if (all_idle() && s.phase.load(seq_cst) != run_phase::stopping) {
    const stack_statistics stacks = stack_stats();
    const bool look_again = stacks.free > stacks.trimmed || (earliest_timer() == k_forever && s.live() > 0);
    s.monitor_wake.wait(look_again ? now_ns() + k_trim_interval_ns : k_forever);
  }
  s.monitor_sleeps.store(false, seq_cst);
}

}  // namespace

void monitor_main() noexcept {
  scheduler& s = sched();
  std::int64_t interval = k_shortest_look_ns;
  std::int64_t idle_since = 0;
  int quiet = 0;
  while (s.phase.load(acquire) != run_phase::stopping) {
    const std::int64_t now = now_ns();
    s.coarse_clock.store(now, relaxed);
    bool acted = false;
    for (const auto& p : s.processors) acted |= look_at(*p, now);
    acted |= retake_blocked(now);
    const std::int64_t interrupts = repeat_interrupts(now);
    replace_blocked();
    trim(now);
    quiet = acted ? 0 : quiet + 1;
    if (quiet == 0) interval = k_shortest_look_ns;
    if (quiet > k_quick_looks) interval = std::min(interval * 2, k_longest_look_ns);
    if (!all_idle()) {
      idle_since = 0;
    } else if (idle_since == 0) {
      idle_since = now;
    } else if (now - idle_since > k_linger_ns && interrupts == k_forever) {
      deep_sleep();
      idle_since = 0;
      quiet = 0;
      interval = k_shortest_look_ns;
      continue;
    }
    pause(now, std::min(interval, interrupts - now));
  }
}

void monitor_needed() noexcept {
  scheduler& s = sched();
  if (s.monitor_sleeps.load(seq_cst)) s.monitor_wake.post();
}

void set_deadlock_handler(deadlock_handler h) noexcept { on_deadlock = h; }
void expect_outside_event() noexcept { outside_events.fetch_add(1, acq_rel); }
void forget_outside_event() noexcept { outside_events.fetch_sub(1, acq_rel); }

}  // namespace weft::runtime
