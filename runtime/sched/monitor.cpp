#include "runtime/sched/monitor.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

#include "runtime/base/clock.hpp"
#include "runtime/base/fatal.hpp"
#include "runtime/base/random.hpp"
#include "runtime/event/preempt_signal.hpp"
#include "runtime/sched/blocked.hpp"
#include "runtime/sched/detach.hpp"
#include "runtime/sched/interrupts.hpp"
#include "runtime/sched/polling.hpp"
#include "runtime/sched/preempt.hpp"
#include "runtime/sched/resize.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sched/threads.hpp"
#include "runtime/stack/stack_pool.hpp"

namespace weft::runtime {
namespace {

constexpr std::int64_t k_shortest_look_ns = 20'000;
constexpr std::int64_t k_longest_look_ns = 10'000'000;
constexpr std::int64_t k_waiting_look_ns = 1'000'000;  // while timers or descriptors may bring work behind a long turn
constexpr int k_quick_looks = 50;                      // this many short intervals before they begin to double
constexpr std::int64_t k_linger_ns = 1'500'000;        // all idle, without a turn, before deep sleep; or not at all
constexpr std::int64_t k_deadlock_ns = 50'000'000;     // idle time before a deadlock is looked for
constexpr std::int64_t k_trim_interval_ns = 1'000'000'000;
constexpr std::int64_t k_owed_wake_ns = 20'000;
constexpr std::int64_t k_watch_ns = 50'000;             // a turn that has lasted this long is looked at closely
constexpr std::int64_t k_least_sample_ns = 20'000;      // between two looks at a thread's CPU clock
constexpr std::int64_t k_no_safe_point_ns = 2'000'000;  // then the processor is taken without asking

deadlock_handler on_deadlock = nullptr;
atomic<std::uint32_t> outside_events{0};

bool all_idle() noexcept {
  scheduler& s = sched();
  // An idle one may hold work: given up by a worker that locked its thread, while a thread for it is being made.
  const auto holds_work = [](const auto& p) { return !p->ring.empty() || p->runnext.load(relaxed) != nullptr; };
  {
    // Both of one moment: a processor that retires between two loads would be missed in the first and not in the other.
    const std::lock_guard hold(s.lock);
    if (s.idle_count.load(seq_cst) != s.active.load(relaxed)) return false;
  }
  return s.global_size.load(seq_cst) == 0 && s.preempted_count.load(seq_cst) == 0 &&
         std::ranges::none_of(s.processors, holds_work);
}

bool somebody_waits(const processor& p, std::int64_t now) noexcept {
  const scheduler& s = sched();
  return !p.ring.empty() || p.runnext.load(relaxed) != nullptr || s.global_size.load(relaxed) != 0 ||
         s.preempted_count.load(relaxed) != 0 || p.timers.earliest() <= now;
}

// Somebody waits for whom no idle processor is there, or the processor is to go.
bool wanted(const processor& p, std::int64_t now) noexcept {
  return is_surplus(p) || (sched().idle_count.load(seq_cst) == 0 && somebody_waits(p, now));
}

// Counts on over all processors, so that a turn between two looks is noticed.
std::uint32_t turns_begun() noexcept {
  std::uint32_t all = 0;
  for (const auto& p : sched().processors) all += p->tick.load(relaxed);
  return all;
}

enum class activity : std::uint8_t { unknown, computes, runs_little, stands_still };

// A signal that has come to no safe point counts by the time in which it could: the thread's own.
void count_out(processor& p, std::int64_t without_cpu, std::int64_t now) noexcept {
  std::int64_t since = p.unsafe_since.load(relaxed);
  if (since != 0) p.unsafe_since.compare_exchange_strong(since, std::min(since + without_cpu, now), relaxed);
}

// What its thread has done since the last sample.
activity sample(processor& p, const worker& m, std::int64_t now) noexcept {
  const std::int64_t passed = now - p.seen_cpu_at;
  if (passed < k_least_sample_ns) return activity::unknown;
  const std::int64_t cpu = cpu_time(m);
  const std::int64_t before = std::exchange(p.seen_cpu, cpu);
  const std::int64_t ran = cpu - before;
  p.seen_cpu_at = now;
  const bool known = cpu >= 0 && before >= 0;
  if (!known || ran < passed) count_out(p, known ? passed - ran : passed, now);
  if (!known) return activity::unknown;
  if (4 * ran >= passed) return activity::computes;
  return 8 * ran < passed ? activity::stands_still : activity::runs_little;  // a signal costs it a little
}

// Marks a turn that lasts: watched, and past its slice long. This thread may have lost its CPU since it looked; then
// the turn is a later one, which is not to be taken for as old.
void mark_turn(processor& p, std::int64_t now) noexcept {
  scheduler& s = sched();
  const std::uint32_t bits = p.attention.load(relaxed);
  std::uint32_t marks = 0;
  if ((bits & (processor::k_watched | processor::k_long_turn)) == 0) {
    p.turn_began.store(p.seen_since, relaxed);
    p.slice_end.store(saturating_add(p.seen_since, s.config.slice_ns), relaxed);
    p.least_until.store(0, relaxed);
    p.unsafe_since.store(0, relaxed);
    p.attention.fetch_or(processor::k_watched, release);
    marks = processor::k_watched;
  }
  if (now - p.seen_since >= s.config.slice_ns && (bits & processor::k_long_turn) == 0 &&
      (p.attention.fetch_or(processor::k_long_turn, relaxed) & processor::k_long_turn) == 0) {
    s.long_turns.fetch_add(1, seq_cst);
    marks |= processor::k_long_turn;
  }
  if (marks != 0 && p.tick.load(relaxed) != p.seen_tick &&
      (p.attention.fetch_and(~marks, relaxed) & marks & processor::k_long_turn) != 0)
    s.long_turns.fetch_sub(1, relaxed);
}

// Interrupts a turn that computes, if somebody waits, or sees to it that a timer will.
bool press(processor& p, std::int64_t now) noexcept {
  const scheduler& s = sched();
  if (!s.config.preemption) return false;
  mark_turn(p, now);
  if (p.tick.load(relaxed) != p.seen_tick) return false;
  const std::int64_t due = preemption_due(p, now);
  if (due == k_forever) return false;
  std::int64_t unsafe = p.unsafe_since.load(relaxed);
  // Of an earlier turn: this thread may lose its CPU before it writes, and what it knows is old then.
  if (unsafe != 0 && unsafe < p.seen_since) p.unsafe_since.store(unsafe = now, relaxed);
  if (unsafe != 0 && now - unsafe > k_no_safe_point_ns && wanted(p, now))
    return detach(p, p.seen_tick, overstay::computes);
  const std::int64_t armed = p.armed_until.load(relaxed);
  if (due > now) {
    arm_preemption(&p, due);
  } else if (armed == k_forever || now - armed > k_missed_ns) {
    p.armed_until.store(k_forever, relaxed);
    if (unsafe == 0) p.unsafe_since.store(now, relaxed);  // the thread may block SIGURG, or never leave the kernel
    worker* m = p.owner.load(acquire);
    if (m == nullptr) return false;
    if (unsafe != 0) m->signalled.store(false, relaxed);
    preempt(&p);
    return !m->has_timer.load(acquire);  // nobody else asks it again
  }
  return false;
}

// A turn that lasts: what its thread does, and what is to be done about it.
bool look_closely(processor& p, std::int64_t now) noexcept {
  const worker* m = p.owner.load(acquire);
  if (m == nullptr || m->lent.load(relaxed) != nullptr) return false;
  const activity seen = sample(p, *m, now);
  if (seen == activity::unknown) return false;
  if (seen == activity::computes) return press(p, now);
  if (!wanted(p, now)) return false;
  // One that computes may have next to no CPU on a busy machine: others have it, or sched_yield gives it to them.
  if (!blocked_in_kernel(*m)) return press(p, now);
  return seen == activity::stands_still && detach(p, p.seen_tick, overstay::blocks);
}

// Looks at one processor; true if what was done is to be followed up: soon there may be as much again. That a turn was
// asked to give way is not: at its end, or by its own timer, it does.
bool look_at(processor& p, std::int64_t now) noexcept {
  const scheduler& s = sched();
  const std::uint32_t tick = p.tick.load(relaxed);
  const worker* owner = p.owner.load(acquire);
  const bool same_turn = tick == p.seen_tick && owner != nullptr && owner == p.seen_owner;
  const bool overdue = p.timers.earliest() <= now;
  const auto ask_to_give_way = [&p] {
    if ((p.attention.load(relaxed) & processor::k_give_way) == 0) p.attention.fetch_or(processor::k_give_way, relaxed);
  };
  // Whichever turn it is, at its end the timers are looked at.
  if (overdue && owner != nullptr) ask_to_give_way();
  if (!same_turn) {
    p.seen_tick = tick;
    p.seen_owner = owner;
    p.seen_since = now;
    const bool may_wait = somebody_waits(p, now) || p.timers.earliest() != k_forever;
    p.seen_cpu = owner != nullptr && may_wait ? cpu_time(*owner) : -1;
    p.seen_cpu_at = now;
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
  if (turn >= s.config.slice_ns && somebody_waits(p, now)) ask_to_give_way();
  // Work that an idle processor could take, or timers it could run.
  if (s.idle_count.load(seq_cst) != 0 && somebody_waits(p, now)) wake_one();
  if (turn >= k_watch_ns) acted |= look_closely(p, now);
  return acted;
}

// No processor has a short turn. (One that nobody holds has none; whether one is idle is for the caller to ask.)
bool turns_last(std::int64_t now) noexcept {
  return std::ranges::none_of(
      sched().processors, [&](const auto& p) { return p->seen_owner != nullptr && now - p->seen_since < k_watch_ns; });
}

// Threads that lost their processor and compute again, beside those that have one: they are to wait for theirs.
void call_in_detached() noexcept {
  const scheduler& s = sched();
  if (!s.config.preemption || s.blocked_workers.load(relaxed) == 0) return;
  for (worker* m = s.all_workers.load(acquire); m != nullptr; m = m->next_all) {
    if (!m->detached.load(relaxed)) continue;
    const std::int64_t cpu = cpu_time(*m);
    // One that has only made a call after the other is left alone while it is in one: many end with EINTR.
    if (cpu - m->seen_cpu > k_least_sample_ns && m->in.load(relaxed) == 0 && !blocked_in_kernel(*m)) {
      m->signalled.store(false, relaxed);  // one sent before may have been lost: preempt_signal.hpp
      send_preempt_signal(*m);
    }
    m->seen_cpu = cpu;
  }
}

// Chaos: interrupts one processor, whichever it is.
void disturb_somebody() noexcept {
  const scheduler& s = sched();
  static random_source random(s.config.chaos_seed);
  processor& p = *s.processors[random.below(static_cast<std::uint32_t>(s.processors.size()))];
  if (p.owner.load(acquire) != nullptr) disturb(&p);
}

void watch_preempted(std::int64_t now) noexcept {
  scheduler& s = sched();
  if (s.preempted_count.load(relaxed) != 0 && now - s.preempted_since.load(relaxed) > s.config.slice_ns)
    s.preempted_starve.store(true, relaxed);
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
  if (the_poller().watched() != 0 && the_poller().anyone_waits()) return false;
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

void trim(std::int64_t now) noexcept {
  static std::int64_t last = 0;
  if (now - last < k_trim_interval_ns) return;
  last = now;
  trim_stacks(false);
}

// Until the next look; woken early by the end of the run.
void pause(std::int64_t now, std::int64_t interval) noexcept {
  const auto waits = [now](const auto& p) { return somebody_waits(*p, now); };
  const bool unwatched = the_poller().watched() != 0 && sched().idle_count.load(relaxed) == 0;
  if (unwatched || earliest_timer() != k_forever || std::ranges::any_of(sched().processors, waits))
    interval = std::min(interval, k_waiting_look_ns);
  sched().monitor_until.store(now + interval, relaxed);
  sched().monitor_wake.wait(now + interval);
}

// Until it is needed. A deadlock is looked for only when all has been idle for long: that reads /proc.
void deep_sleep(std::int64_t idle_since) noexcept {
  scheduler& s = sched();
  const bool long_idle = now_ns() - idle_since >= k_deadlock_ns;
  if (long_idle) report_if_deadlocked();
  s.monitor_sleeps.store(true, seq_cst);
  // Partner: monitor_needed, called by whoever has taken a processor out of idle_count.
  if (all_idle() && s.phase.load(seq_cst) != run_phase::stopping) {
    const stack_statistics stacks = stack_stats();
    const bool all_wait = earliest_timer() == k_forever && s.live() > 0;
    std::int64_t until = k_forever;
    if (stacks.free > stacks.trimmed || all_wait) until = now_ns() + k_trim_interval_ns;
    if (all_wait && !long_idle) until = idle_since + k_deadlock_ns;
    s.monitor_until.store(k_forever, relaxed);
    s.monitor_wake.wait(until);
  }
  s.monitor_sleeps.store(false, seq_cst);
}

}  // namespace

void monitor_main() noexcept {
  scheduler& s = sched();
  std::int64_t interval = k_shortest_look_ns;
  std::int64_t idle_since = 0;
  std::uint32_t seen_turns = 0;
  int quiet = 0;
  bool lingers = true;
  while (s.phase.load(acquire) != run_phase::stopping) {
    const std::int64_t now = now_ns();
    s.coarse_clock.store(now, relaxed);
    bool acted = false;
    for (const auto& p : s.processors) acted |= look_at(*p, now);
    acted |= retake_blocked(now);
    if (s.active.load(relaxed) > s.wanted.load(relaxed)) {
      ask_surplus();
      acted = true;
    }
    look_at_descriptors(now, turns_last(now));
    call_in_detached();
    watch_preempted(now);
    const std::int64_t interrupts = repeat_interrupts(now);
    trim(now);
    if (s.config.chaos_seed != 0) disturb_somebody();
    quiet = acted ? 0 : quiet + 1;
    if (quiet == 0) interval = k_shortest_look_ns;
    if (quiet > k_quick_looks) interval = std::min(interval * 2, k_longest_look_ns);
    if (s.config.chaos_seed != 0) interval = k_shortest_look_ns * (1 + now / 1000 % 10);
    const bool idle = all_idle();
    const std::uint32_t turns = turns_begun();
    const bool has_moved = std::exchange(seen_turns, turns) != turns;
    if (!idle || idle_since == 0 || has_moved) {
      idle_since = idle ? now : 0;
      pause(now, std::min(interval, interrupts - now));
    } else if ((lingers && now - idle_since < k_linger_ns) || interrupts != k_forever) {
      // As long again as it has lasted: whatever then begins is not looked at later than that.
      pause(now, std::min({std::max(interval, now - idle_since), k_linger_ns, interrupts - now}));
    } else {
      deep_sleep(idle_since);
      lingers = now_ns() - now < k_linger_ns;  // else what wakes it is far between, and nothing to wait for
      quiet = 0;
      interval = k_shortest_look_ns;
    }
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
