#include "runtime/sched/preempt.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "arch/arch.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/event/interrupt.hpp"
#include "runtime/event/preempt_signal.hpp"
#include "runtime/event/safe_point.hpp"
#include "runtime/sched/migratable.hpp"
#include "runtime/sched/monitor.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sched/threads.hpp"

namespace weft::runtime {
namespace {

constexpr std::int64_t k_first_retry_ns = 30'000, k_last_retry_ns = 500'000;
constexpr std::int64_t k_second_choice_ns = 60'000;  // more than a preemption takes
// With many preempted fibers the slices get shorter, so that each comes in turn within this time.
constexpr std::int64_t k_round_ns = 200'000'000, k_shortest_slice_ns = 2'000'000;

atomic<std::uint64_t> signals{0}, pinned{0}, migrated{0}, detached{0};

bool others_ready(const processor& p) noexcept {
  return !p.ring.empty() || p.runnext.load(relaxed) != nullptr || sched().global_size.load(relaxed) != 0;
}

std::int64_t slice(const scheduler& s) noexcept {
  const auto waiting = static_cast<std::int64_t>(s.preempted_count.load(relaxed) / s.active.load(relaxed)) + 1;
  return std::clamp(k_round_ns / waiting, std::min(k_shortest_slice_ns, s.config.slice_ns), s.config.slice_ns);
}

// Whose timers this one's turn gives way to as well, a little later: invariant 4.
const processor& ward(const processor& p) noexcept {
  const auto& all = sched().processors;
  return *all[p.index + 1 < all.size() ? p.index + 1 : 0];
}

processor& guardian(const processor& p) noexcept {
  const auto& all = sched().processors;
  return *all[(p.index != 0 ? p.index : all.size()) - 1];
}

std::int64_t timers_due(const processor& p) noexcept {
  return std::min(p.timers.earliest(), saturating_add(ward(p).timers.earliest(), k_second_choice_ns));
}

bool lasts(const processor& p, std::memory_order order = relaxed) noexcept {
  return (p.attention.load(order) & (processor::k_watched | processor::k_long_turn)) != 0;
}

// Without a timer nobody would interrupt the turn later: then there is no limit.
std::int64_t interruptions_allowed_from(const processor& p) noexcept {
  const worker* m = p.owner.load(acquire);
  return m != nullptr && m->has_timer.load(acquire) ? p.interruptions.allowed_from() : 0;
}

enum class cause : std::uint8_t { none, work, slice_over };

cause reason(processor& p, std::int64_t now) noexcept {
  const scheduler& s = sched();
  if (timers_due(p) <= now || (p.attention.load(relaxed) & processor::k_disturbed) != 0) return cause::work;
  if (others_ready(p) &&
      ((p.attention.load(relaxed) & processor::k_long_turn) != 0 || now >= p.slice_end.load(relaxed)))
    return cause::work;
  if (s.preempted_count.load(relaxed) != 0 && now >= p.slice_end.load(relaxed)) return cause::slice_over;
  return cause::none;
}

void note_interruption(processor& p, fiber& f, std::int64_t now) noexcept {
  if ((p.attention.load(relaxed) & processor::k_disturbed) == 0) p.interruptions.count(now);
  const std::int64_t left = p.slice_end.load(relaxed) - now;
  f.slice_left = left > k_least_run_ns ? left : 0;
}

// Gives p to another worker; false when there is none. Under preempt.hpp's invariant 3.
bool give_up(worker* m, fiber* f, processor* p, cause why, std::int64_t now) noexcept {
  scheduler& s = sched();
  worker* next = nullptr;
  fiber* theirs = nullptr;
  {
    const std::lock_guard hold(s.lock);
    if (why == cause::slice_over) theirs = s.preempted.pop_front();
    next = theirs != nullptr && theirs->home != nullptr ? theirs->home : pop_idle_worker();
    if (next == nullptr && theirs != nullptr) {  // no thread for one without: one that has its own
      s.preempted.push_front(theirs);
      theirs = pop_preempted_at_home();
      if (theirs != nullptr) next = theirs->home;
    }
    if (next == nullptr) return false;
    if (theirs != nullptr) s.preempted_since.store(now, relaxed);
    note_interruption(*p, *f, now);
    f->set_home(m);
    push_preempted_locked(f, now);
  }
  if (theirs != nullptr && theirs->home == nullptr) push_local(p, theirs);  // it runs on any
  m->p = nullptr;
  end_turn(p);
  p->tick.store(p->tick.load(relaxed) + 1, relaxed);
  move_here(next);
  hand_to(next, p);
  return true;
}

// In the handler: until somebody hands this thread a processor.
void wait_for_processor(worker* m, fiber* f) noexcept {
  pinned.fetch_add(1, relaxed);
  m->interrupted.store(true, relaxed);
  processor* p;
  while ((p = m->handed.exchange(nullptr, acquire)) == nullptr) m->wake.wait();
  move_back(m);
  m->p = p;
  m->interrupted.store(false, relaxed);
  begin_turn_again(p, f);
}

void try_again(processor* p, std::int64_t now) noexcept {
  if (const std::int64_t due = preemption_due(*p, now); due > now) {  // not yet, or nobody waits any more
    p->unsafe_since.store(0, relaxed);
    return arm_preemption(p, due);
  }
  std::int64_t since = p->unsafe_since.load(relaxed);
  if (since == 0) p->unsafe_since.store(since = now, relaxed);
  arm_preemption(p, now + std::clamp((now - since) / 4, k_first_retry_ns, k_last_retry_ns));
}

// A thread that goes on without a processor waits for one.
void join_in(worker* m, fiber* f) noexcept {
  scheduler& s = sched();
  const section in(m);
  if (!m->detached.load(relaxed)) return;
  m->detached.store(false, relaxed);
  if (processor* p = acquire_idle_processor()) {
    take_up(m, p);
    begin_turn_again(p, f);
  } else {
    {
      const std::lock_guard hold(s.lock);
      f->set_home(m);
      f->slice_left = 0;
      push_preempted_locked(f, now_ns());
    }
    full_fence();  // (S): a processor may have become idle
    wake_one();
    wait_for_processor(m, f);
  }
  s.blocked_workers.fetch_sub(1, acq_rel);
}

void on_signal(worker* m, ucontext_t& frame, std::uintptr_t restorer) noexcept {
  signals.fetch_add(1, relaxed);
  fiber* f = m->current.load(relaxed);
  if (f == nullptr) return;
  const bool inside = m->in.load(relaxed) != 0;
  if (!inside && interrupt_running(view_of(m), *f, frame, m->mask)) return;
  processor* p = m->p;
  if (p == nullptr) {
    if (!inside && m->detached.load(relaxed) && f->no_preempts.load(relaxed) == 0 &&
        stop_point_at(frame, *f, m->mask) == stop_point::safe)
      join_in(m, f);
    return;
  }
  if (!lasts(*p)) return;  // somebody else's turn by now: the signal came late
  p->armed_until.store(k_forever, relaxed);
  const std::int64_t now = now_ns();
  if (f->no_preempts.load(relaxed) != 0) {
    p->unsafe_since.store(0, relaxed);  // nor is the processor taken: it computes, and said so
    return arm_preemption(p, now + k_last_retry_ns);
  }
  if (inside) return try_again(p, now);
  const stop_point at = stop_point_at(frame, *f, m->mask);
  // In the kernel it is blocked, and the monitor will take the processor; or it makes one call after the other.
  if (at != stop_point::safe) return try_again(p, now);
  const section in(m);
  p = m->p;  // the monitor may have taken it in this moment
  if (p == nullptr) return;
  p->unsafe_since.store(0, relaxed);
  const std::int64_t due = preemption_due(*p, now);
  const cause why = reason(*p, now);
  if (due > now || why == cause::none) return arm_preemption(p, due);
  if (f->migratable && leave_thread(m, *f, frame, restorer)) {
    migrated.fetch_add(1, relaxed);
    note_interruption(*p, *f, now);
    return;
  }
  if (!give_up(m, f, p, why, now)) {
    want_spare_worker();
    return try_again(p, now);
  }
  wait_for_processor(m, f);
}

}  // namespace

void prepare_preemption() {
  arch::prepare_inject_call();
  install_preempt_signal(on_signal);
}

void make_preempt_timer(worker* m) noexcept {
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGURG;
  event.sigev_value.sival_ptr = m;
  event._sigev_un._tid = m->thread_id.load(relaxed);
  const bool made = !WEFT_TSAN && ::timer_create(CLOCK_MONOTONIC, &event, &m->timer) == 0;
  m->has_timer.store(made, release);  // else the monitor's part
}

void delete_preempt_timer(worker* m) noexcept {
  if (m->has_timer.exchange(false, acq_rel)) ::timer_delete(m->timer);
}

void arm_preemption(processor* p, std::int64_t when) noexcept {
  if (when == k_forever) return;
  const std::int64_t armed = p->armed_until.load(relaxed);
  // By the coarse clock, which is old by a look of the monitor's at most: this is asked with each timer that is set.
  if (when >= armed && sched().coarse_clock.load(relaxed) - armed < k_missed_ns) return;
  worker* m = p->owner.load(acquire);
  if (m == nullptr) return;
  p->armed_until.store(when, seq_cst);
  if (!m->has_timer.load(acquire)) return;
  itimerspec at{};
  at.it_value = to_timespec(when);
  ::timer_settime(m->timer, TIMER_ABSTIME, &at, nullptr);
  // Partner: end_turn. Either that sees what was armed, or it is seen here that the turn has ended.
  if (!lasts(*p, seq_cst)) disarm_preemption(m);
}

void arm_for_timer(processor* p, std::int64_t when) noexcept {
  if (!lasts(*p)) return;
  arm_preemption(p, when);
  if (processor& second = guardian(*p); lasts(second))
    arm_preemption(&second, saturating_add(when, k_second_choice_ns));
}

void disarm_preemption(worker* m) noexcept {
  if (!m->has_timer.load(acquire)) return;
  const itimerspec never{};
  ::timer_settime(m->timer, 0, &never, nullptr);
}

void preempt(processor* p) noexcept {
  if (!sched().config.preemption) return;
  if (worker* m = p->owner.load(acquire)) send_preempt_signal(*m);
}

void preempt_long_turn() noexcept {
  const scheduler& s = sched();
  processor *longest = nullptr, *next = nullptr;
  for (processor* p : s.processors) {
    if ((p->attention.load(relaxed) & processor::k_long_turn) == 0) continue;
    if (longest == nullptr || p->turn_began.load(relaxed) < longest->turn_began.load(relaxed))
      next = std::exchange(longest, p);
    else if (next == nullptr || p->turn_began.load(relaxed) < next->turn_began.load(relaxed))
      next = p;
  }
  if (longest == nullptr) return;
  longest->attention.fetch_or(processor::k_give_way, relaxed);
  const std::int64_t now = now_ns();
  if (const std::int64_t from = interruptions_allowed_from(*longest); from > now)
    arm_preemption(longest, from);
  else
    preempt(longest);
  // The first one's thread may lack a CPU, so that it does not hear the signal for a while.
  if (next != nullptr) arm_preemption(next, now + k_second_choice_ns);
}

void disturb(processor* p) noexcept {
  if (!sched().config.preemption) return;
  p->attention.fetch_or(processor::k_watched | processor::k_disturbed, relaxed);
  preempt(p);
}

std::int64_t preemption_due(processor& p, std::int64_t now) noexcept {
  const scheduler& s = sched();
  const bool is_long = (p.attention.load(relaxed) & processor::k_long_turn) != 0;
  if ((p.attention.load(relaxed) & processor::k_disturbed) != 0) return now;
  const std::int64_t slice_end = p.slice_end.load(relaxed);
  // Idle ones look after the timers and take what waits.
  std::int64_t due = s.idle_count.load(seq_cst) == 0 ? timers_due(p) : k_forever;
  if (others_ready(p)) due = std::min(due, is_long ? now : slice_end);
  if (s.preempted_count.load(relaxed) != 0) due = std::min(due, slice_end);
  return due == k_forever ? due : std::max({due, p.least_until.load(relaxed), interruptions_allowed_from(p)});
}

void begin_turn_again(processor* p, fiber* f) noexcept {
  scheduler& s = sched();
  monitor_needed();  // it may sleep: where all else rests a thread without a processor is not counted
  const std::int64_t now = now_ns();
  const std::int64_t whole = slice(s);
  const std::int64_t length = f->turn_owed ? whole / 10 : f->slice_left != 0 ? f->slice_left : whole;
  p->least_until.store(now + (f->turn_owed ? length : k_least_run_ns), relaxed);
  f->slice_left = 0;
  f->turn_owed = false;
  if (f->thread_locks == 0) f->set_home(nullptr);
  end_turn(p);
  p->tick.store(p->tick.load(relaxed) + 1, relaxed);
  p->turn_began.store(now, relaxed);
  p->slice_end.store(now + length, relaxed);
  p->unsafe_since.store(0, relaxed);
  // seq_cst, with the loads in preemption_due: whoever submits work publishes it and then looks for a long turn.
  if ((p->attention.fetch_or(processor::k_long_turn, seq_cst) & processor::k_long_turn) == 0)
    s.long_turns.fetch_add(1, seq_cst);
  arm_preemption(p, preemption_due(*p, now));
}

namespace {

// What is armed would strike the next turn, whose system calls may be none that the kernel restarts.
void disarm_turn(processor* p) noexcept {
  if (p->armed_until.load(seq_cst) == k_forever) return;
  p->armed_until.store(k_forever, relaxed);
  if (worker* m = p->owner.load(relaxed)) disarm_preemption(m);
}

}  // namespace

void end_turn(processor* p) noexcept {
  if (p->attention.load(relaxed) == 0) return;
  disarm_turn(p);  // here already: after the marks are gone the monitor would take a slow system call for a turn
  p->tick.store(p->tick.load(relaxed) + 1, relaxed);
  if ((p->attention.exchange(0, seq_cst) & processor::k_long_turn) != 0) sched().long_turns.fetch_sub(1, relaxed);
  disarm_turn(p);  // the monitor may have armed it meanwhile
  p->unsafe_since.store(0, relaxed);
}

preemption_counts preempt_stats() noexcept {
  return {signals.load(relaxed), pinned.load(relaxed), migrated.load(relaxed), detached.load(relaxed)};
}
void count_detached() noexcept { detached.fetch_add(1, relaxed); }

}  // namespace weft::runtime
