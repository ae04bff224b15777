#include "runtime/sched/find_work.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "arch/arch.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/sched/polling.hpp"
#include "runtime/sched/preempt.hpp"
#include "runtime/sched/resize.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/threads.hpp"

namespace weft::runtime {
namespace {

constexpr int k_passes = 4;                           // over all victims; runnext and timers in the last
constexpr std::int64_t k_linger_ns = 20'000;          // how long a spinner goes on looking before it sleeps
constexpr int k_lingers_in_vain = 8;                  // after so many in a row it does so seldom:
constexpr std::uint32_t k_seldom = 32;                // once in so many
constexpr std::int64_t k_retire_ns = 10'000'000'000;  // after which a thread that is one too many ends
constexpr std::int64_t k_gather_ns = 100'000;         // where this many timers are due within this time,
constexpr int k_crowd = 4;                            // they are waited for together,
constexpr int k_most_gathered = 16;                   // or so many of them
constexpr std::int64_t k_runnext_grace_ns = 3'000;    // its owner, if it parks now, runs it sooner than a thief would

std::int64_t earliest_timer() noexcept {
  std::int64_t earliest = k_forever;
  for (const auto& p : sched().processors) earliest = std::min(earliest, p->timers.earliest());
  return earliest;
}

// Takes from the others, beginning anywhere.
fiber* steal(processor* mine, bool& by_timer) noexcept {
  auto& all = sched().processors;
  const std::size_t n = all.size();
  for (int pass = 0; pass < k_passes; ++pass) {
    const bool last = pass == k_passes - 1;
    std::size_t at = mine->random.below(static_cast<std::uint32_t>(n));
    for (std::size_t i = 0; i < n; ++i, at = at + 1 == n ? 0 : at + 1) {
      processor* victim = all[at];
      if (victim == mine) continue;
      if (last && victim->timers.earliest() != k_forever) {
        run_due_timers(mine, victim, now_ns());
        if (fiber* f = mine->ring.pop()) {
          by_timer = true;
          return f;
        }
      }
      if (fiber* f = mine->ring.steal_from(victim->ring)) return f;
      if (last && victim->runnext.load(relaxed) != nullptr) {
        if (victim->owner.load(acquire) != nullptr) {
          const std::int64_t until = now_ns() + k_runnext_grace_ns;
          while (victim->runnext.load(relaxed) != nullptr && now_ns() < until) arch::pause();
        }
        if (fiber* f = victim->runnext.exchange(nullptr, acq_rel)) return f;
      }
    }
  }
  return nullptr;
}

// Whether this worker may join those that spin: half as many as are busy.
bool may_spin(worker* m) noexcept {
  scheduler& s = sched();
  if (m->spinning) return true;
  if (s.alone.load(relaxed)) return false;
  const std::uint32_t active = s.active.load(relaxed);
  const std::uint32_t busy = active - std::min(s.idle_count.load(relaxed), active);
  if (2 * s.spinning.load(relaxed) >= busy) return false;
  m->spinning = true;
  s.spinning.fetch_add(1, seq_cst);
  return true;
}

// Looking on pays where others hand over work all the time: it spares them a wake-up, and this thread a sleep. What
// timers bring does not count: they need nobody awake. So it is a habit that is lost where it does not pay.
bool lingering_pays() noexcept {
  scheduler& s = sched();
  if (s.lingers_in_vain.load(relaxed) < k_lingers_in_vain) return true;
  const std::uint32_t spared = s.lingers_spared.load(relaxed) + 1;
  s.lingers_spared.store(spared, relaxed);  // two may count as one
  return spared % k_seldom == 0;
}
void learn_from_linger(bool paid) noexcept {
  scheduler& s = sched();
  const int in_vain = s.lingers_in_vain.load(relaxed);
  if (paid && in_vain != 0) s.lingers_in_vain.store(0, relaxed);
  if (!paid && in_vain < k_lingers_in_vain) s.lingers_in_vain.store(in_vain + 1, relaxed);
}

// With a processor, counted as spinning: what others have, once or for as long as lingering pays.
fiber* spin(processor* p) noexcept {
  const std::int64_t begun = now_ns();
  sched().coarse_clock.store(begun, relaxed);
  std::int64_t until = begun;
  for (bool first = true;; first = false) {
    bool by_timer = false;
    fiber* f = steal(p, by_timer);
    if (f == nullptr) f = take_global(p);
    if (f == nullptr) f = take_preempted();
    if (f == nullptr && the_poller().watched() != 0 && sched().watcher.load(relaxed) == nullptr) {
      ask_poller(p);
      f = next_local(p);
    }
    if (f == nullptr && p->timers.earliest() != k_forever) {
      by_timer = true;
      run_due_timers(p, p, now_ns());
      f = next_local(p);
    }
    if (first && f == nullptr && lingering_pays()) until += k_linger_ns;
    if (f != nullptr || now_ns() >= until || sched().phase.load(relaxed) == run_phase::stopping) {
      if (!first) learn_from_linger(f != nullptr && !by_timer);
      return f;
    }
    for (int i = 0; i < 16; ++i) arch::pause();
  }
}

// With a processor: everything there is to find without waiting.
fiber* look(worker* m) noexcept {
  processor* p = m->p;
  if (p->timers.earliest() != k_forever) run_due_timers(p, p, now_ns());
  if (fiber* f = next_local(p)) return f;
  if (fiber* f = take_global(p)) return f;
  if (the_poller().watched() != 0) {
    ask_poller(p);
    if (fiber* f = next_local(p)) return f;
  }
  if (sched().preempted_count.load(relaxed) != 0) {
    bool by_timer = false;
    if (fiber* f = steal(p, by_timer)) return f;
    if (fiber* f = take_preempted()) return f;
  }
  return may_spin(m) ? spin(p) : nullptr;
}

// Under the lock.
void join_idle_workers(worker* m) noexcept {
  scheduler& s = sched();
  m->next_idle = s.idle_workers;
  s.idle_workers = m;
  ++s.idle_worker_count;
  m->in_idle_list = true;
  if (s.time_keeper == nullptr) {
    s.time_keeper = m;
    s.keeper_until.store(k_forever, seq_cst);
  }
}

enum class rest : std::uint8_t { refused, resting, resting_from_spinning };

// Gives the processor up and joins the idle workers, unless there is global work after all. `spinning` changes hands in
// there: once the worker is in the list it belongs to whoever takes it out. (Changed after that, as it once was:
//     this worker                                    another
//     joins the list
//                                                    takes it out; counts it as spinning, spinning = true
//     spinning = false, uncounts itself, once        … and for ever one spins too many: nobody is woken any more.)
rest lie_down(worker* m) noexcept {
  scheduler& s = sched();
  const std::lock_guard hold(s.lock);
  processor* p = m->p;
  if (!s.global.empty() || !s.preempted.empty() || is_surplus(*p)) return rest::refused;
  p->owner.store(nullptr, release);
  p->next_idle = s.idle_processors;
  s.idle_processors = p;
  s.idle_count.fetch_add(1, seq_cst);
  m->p = nullptr;
  const bool spun = std::exchange(m->spinning, false);
  join_idle_workers(m);
  return spun ? rest::resting_from_spinning : rest::resting;
}

// Back from a blocking call without a processor; its fiber is in the global queue.
void lie_down_without(worker* m) noexcept {
  {
    const std::lock_guard hold(sched().lock);
    join_idle_workers(m);
    if (std::exchange(m->starting, false)) sched().starting_workers.fetch_sub(1, seq_cst);
  }
  wake_one();  // a processor may have become idle after the fiber asked for one. The lock is the fence of (S)
}

// Under the lock.
void leave_idle_workers(worker* m) noexcept {
  scheduler& s = sched();
  worker** link = &s.idle_workers;
  while (*link != m) link = &(*link)->next_idle;
  *link = m->next_idle;
  --s.idle_worker_count;
  m->in_idle_list = false;
  if (s.time_keeper == m) {
    s.time_keeper = nullptr;
    s.keeper_until.store(0, seq_cst);
  }
}

// Leaves the idle list on its own account; false if somebody has already taken it out, with a processor and a token on
// the way.
bool get_up(worker* m) noexcept {
  scheduler& s = sched();
  const std::lock_guard hold(s.lock);
  if (!m->in_idle_list) return false;
  processor* p = s.idle_processors;
  if (p == nullptr) return false;
  s.idle_processors = p->next_idle;
  s.idle_count.fetch_sub(1, seq_cst);
  leave_idle_workers(m);
  take_up(m, p);
  return true;
}

// More threads sleep than the processors could ever use at once, and a spare: this one may end.
bool may_retire(worker* m) noexcept {
  scheduler& s = sched();
  const std::lock_guard hold(s.lock);
  if (!m->in_idle_list || s.time_keeper == m || s.idle_worker_count <= s.active.load(relaxed) + 1) return false;
  leave_idle_workers(m);
  return m->retiring = true;
}

// Whether one who has just lain down must see to work that came meanwhile. (R). One who did not spin leaves that to
// those who do, but looks when there is none:
//     this worker                     another                        a third one
//     somebody spins: it may not                                     submits f1 and f2; somebody spins: wakes nobody
//                                     takes f1, the last to spin;
//                                     no processor is idle yet:
//                                     wakes nobody
//     lies down                       … and f2 would wait.
bool must_get_up(rest how) noexcept {
  scheduler& s = sched();
  if (how == rest::resting_from_spinning)
    s.spinning.fetch_sub(1, seq_cst);
  else if (s.spinning.load(seq_cst) != 0)
    return false;
  full_fence();  // the rings are loaded with acquire alone. Partner: (S)
  return work_anywhere();
}

// To sleep and wake once more costs tens of microseconds of CPU, most of it the kernel's. So a crowd is waited for
// together: the first of it is served with the last. keeper_until stays the time of the first: whoever inserts one
// among them wakes nobody.
std::int64_t last_of_crowd(std::int64_t earliest) noexcept {
  const std::int64_t until = saturating_add(earliest, k_gather_ns);
  timer_crowd c;
  for (const auto& p : sched().processors) p->timers.gather(until, k_most_gathered, c);
  return c.count >= k_crowd ? std::max(c.last, earliest) : earliest;
}

// How long this worker may sleep: for ever, or as the time keeper until the earliest timer, or the last of a crowd.
std::int64_t sleep_until(worker* m) noexcept {
  scheduler& s = sched();
  const std::int64_t earliest = earliest_timer();
  {
    const std::lock_guard hold(s.lock);
    if (s.time_keeper != m) return k_forever;
    s.keeper_until.store(earliest, seq_cst);
  }
  // seq_cst: an inserter stores its time and then loads keeper_until; this stored keeper_until and now loads the times
  // again.
  const std::int64_t again = earliest_timer();
  return again < earliest || earliest == k_forever ? std::min(earliest, again) : last_of_crowd(earliest);
}

// What is due may run long, and others sleep who look at nothing: as a spinner it wakes one of them when it has found
// work, and that one becomes the time keeper and the watcher.
bool get_up_spinning(worker* m) noexcept {
  if (!get_up(m)) return false;
  m->spinning = true;
  sched().spinning.fetch_add(1, seq_cst);
  return true;
}

// The watcher's sleep, in the poller. True if it has got up.
bool watch(worker* m, std::int64_t until) noexcept {
  fiber_list woken;
  m->wake.wait_in_poller(until, woken);
  end_watch(m);
  if (woken.empty()) return false;
  const bool up = get_up_spinning(m);
  ready(woken);  // into its ring; or, all processors being busy or one on the way to it, into the global queue
  return up;
}

// Sleeps until it holds a processor. Null processor: the thread is to end.
void sleep(worker* m) noexcept {
  const scheduler& s = sched();
  bool patient = false;  // has slept for long and is still needed
  while ((m->p = m->handed.exchange(nullptr, acquire)) == nullptr) {
    if (s.phase.load(seq_cst) == run_phase::stopping) return;
    const bool watches = begin_watch(m);
    const std::int64_t until = sleep_until(m);
    if (until != k_forever && until <= now_ns()) {
      if (watches) end_watch(m);
      if (get_up_spinning(m)) return;
      // Every processor is busy: its owner looks at the timers, by its own timer if need be; the monitor sees to it.
      m->wake.wait(now_ns() + 1'000'000);
      continue;
    }
    if (watches) {
      if (watch(m, until)) return;
      continue;
    }
    if (patient || until != k_forever) {
      m->wake.wait(until);
    } else if (!m->wake.wait(now_ns() + k_retire_ns)) {
      if (may_retire(m)) return;
      patient = true;
    }
  }
}

// If the worker's processor is one too many: gives it up for good.
bool retire_processor(worker* m) noexcept {
  scheduler& s = sched();
  if (!is_surplus(*m->p)) return false;
  {
    const std::lock_guard hold(s.lock);
    if (!begin_retirement_locked(*m->p)) return false;
  }
  if (m->at_hand != nullptr) push_global(std::exchange(m->at_hand, nullptr));
  if (std::exchange(m->spinning, false)) s.spinning.fetch_sub(1, seq_cst);  // whoever lies down looks again
  finish_retirement(m->p.take());
  return true;
}

// Hands the processor to the one thread that may run f.
void pass_to_home(worker* m, fiber* f) noexcept {
  processor* p = m->p.take();
  end_turn(p);
  move_here(f->home);
  hand_to(f->home, p);
}

}  // namespace

fiber* await_locked(worker* m) noexcept {
  if (m->p != nullptr) hand_off(m->p.take());
  processor* p;
  while ((p = m->handed.exchange(nullptr, acquire)) == nullptr) m->wake.wait();
  move_back(m);
  m->p = p;
  return m->locked;
}

fiber* find_work(worker* m) noexcept {
  scheduler& s = sched();
  for (;;) {
    bool has_processor = m->p != nullptr && !retire_processor(m);
    if (has_processor) {
      if (s.phase.load(acquire) == run_phase::stopping) {
        hand_off(m->p.take());
        return nullptr;
      }
      fiber* f = m->at_hand != nullptr ? std::exchange(m->at_hand, nullptr) : look(m);
      if (f != nullptr) {
        stop_spinning(m);
        if (!f->homed) return f;
        pass_to_home(m, f);
        has_processor = false;
      }
    }
    if (has_processor) {
      const rest how = lie_down(m);
      if (how == rest::refused) continue;
      if (must_get_up(how) && get_up(m)) {
        m->spinning = true;
        s.spinning.fetch_add(1, seq_cst);
        continue;
      }
    } else {
      lie_down_without(m);
    }
    sleep(m);
    move_back(m);
    if (m->p == nullptr) return nullptr;
    s.coarse_clock.store(now_ns(), relaxed);
  }
}

}  // namespace weft::runtime
