#include "runtime/sched/scheduler.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "runtime/base/clock.hpp"
#include "runtime/event/poller.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/chaos.hpp"
#include "runtime/sched/preempt.hpp"
#include "runtime/sched/resize.hpp"
#include "runtime/sched/section.hpp"

namespace weft::runtime {

constinit no_destroy<scheduler> the_scheduler;

std::int64_t scheduler::live() const noexcept {
  // Ends first: a fiber that ends and one that starts in between can only make the result too high.
  std::uint64_t ended = 0, begun = 0;
  for (const auto& p : processors) ended += p->finished.load(acquire);
  for (const auto& p : processors) begun += p->started.load(acquire);
  begun += foreign_started.load(acquire);
  return static_cast<std::int64_t>(begun - ended);
}

void push_global(fiber* f) noexcept {
  scheduler& s = sched();
  const std::lock_guard hold(s.lock);
  s.global.push_back(f);
  s.global_size.store(static_cast<std::uint32_t>(s.global.size()), relaxed);
}

namespace {

// One of many that have not run for long: what its turn touches is on its way to the caches before that. The lines of
// its stack are those from a wait in a channel up to whoever called it.
void fetch_ahead(const fiber& f) noexcept {
  if (f.phase.load(relaxed) != fiber_phase::started) return;
  const auto* const saved = static_cast<const std::byte*>(f.registers);
  for (std::ptrdiff_t line = 0; line < 12; ++line) __builtin_prefetch(saved + line * 64, 1);
  __builtin_prefetch(f.stack, 1);
}

}  // namespace

fiber* take_global(processor* p, std::size_t most) noexcept {
  scheduler& s = sched();
  if (s.global_size.load(relaxed) == 0) return nullptr;
  std::array<fiber*, run_queue<fiber>::k_capacity / 2> taken;
  const std::size_t room = run_queue<fiber>::k_capacity - p->ring.size();  // thieves only add to it
  std::size_t n;
  {
    const std::lock_guard hold(s.lock);  // the others' too: no more than links are touched under it
    const std::size_t share = s.global.size() / s.active.load(relaxed) + 1;
    n = std::min({s.global.size(), share, most, room + 1});
    for (std::size_t i = 0; i < n; ++i) taken[i] = s.global.pop_front();
    s.global_size.store(static_cast<std::uint32_t>(s.global.size()), relaxed);
  }
  if (n == 0) return nullptr;
  for (std::size_t i = 1; i < n; ++i) {
    fetch_ahead(*taken[i]);
    p->ring.push(taken[i]);
  }
  // For a moment the others were in no queue:
  //     this worker                        another
  //     takes the last two out
  //                                        finds nothing anywhere; lies down
  //     into the ring; runs the first,
  //     which computes                     … and the second would wait beside it.
  if (n > 1 && !s.alone.load(relaxed)) {
    full_fence();  // (S)
    wake_one();
  }
  return taken[0];
}

void push_preempted_locked(fiber* f, std::int64_t now) noexcept {
  scheduler& s = sched();
  if (s.preempted.empty()) s.preempted_since.store(now, relaxed);
  if (f->slice_left != 0)
    s.preempted.push_front(f);
  else
    s.preempted.push_back(f);
  s.preempted_count.store(static_cast<std::uint32_t>(s.preempted.size()), seq_cst);
}

void push_preempted(fiber* f) noexcept {
  const std::int64_t now = now_ns();
  const std::lock_guard hold(sched().lock);
  push_preempted_locked(f, now);
}

fiber* take_preempted() noexcept {
  scheduler& s = sched();
  if (s.preempted_count.load(relaxed) == 0) return nullptr;
  const std::lock_guard hold(s.lock);
  fiber* f = s.preempted.pop_front();
  s.preempted_count.store(static_cast<std::uint32_t>(s.preempted.size()), relaxed);
  s.preempted_since.store(s.coarse_clock.load(relaxed), relaxed);
  return f;
}

fiber* take_owed() noexcept {
  sched().preempted_starve.store(false, relaxed);
  fiber* f = take_preempted();
  if (f != nullptr) f->turn_owed = true;
  return f;
}

void push_or_spill(processor* p, fiber* f) noexcept {
  while (!p->ring.push(f)) {
    std::array<fiber*, run_queue<fiber>::k_capacity / 2> half;
    const std::uint32_t n = p->ring.grab_half(half);
    if (n == 0) continue;  // thieves made room
    global_queue spill;
    for (std::uint32_t i = 0; i < n; ++i) spill.push_back(half[i]);
    spill.push_back(f);
    scheduler& s = sched();
    const std::lock_guard hold(s.lock);
    s.global.append(spill);
    s.global_size.store(static_cast<std::uint32_t>(s.global.size()), relaxed);
    return;
  }
}

processor* acquire_idle_processor() noexcept {
  scheduler& s = sched();
  const std::lock_guard hold(s.lock);
  processor* p = s.idle_processors;
  if (p == nullptr) return nullptr;
  s.idle_processors = p->next_idle;
  s.idle_count.fetch_sub(1, seq_cst);
  return p;
}

void take_up(worker* m, processor* p) noexcept {
  m->p = p;
  p->owner.store(m, release);
}

worker* pop_idle_worker() noexcept {
  scheduler& s = sched();
  worker** link = &s.idle_workers;
  if (*link != nullptr && *link == s.time_keeper && (*link)->next_idle != nullptr) link = &(*link)->next_idle;
  worker* m = *link;
  if (m == nullptr) return nullptr;
  *link = m->next_idle;
  --s.idle_worker_count;
  m->in_idle_list = false;
  if (m == s.time_keeper) {
    s.time_keeper = nullptr;
    s.keeper_until.store(0, seq_cst);
  }
  return m;
}

fiber* pop_preempted_at_home() noexcept {
  scheduler& s = sched();
  fiber* found = nullptr;
  fiber_list others;
  while (fiber* f = s.preempted.pop_front()) {
    if (found == nullptr && f->home != nullptr)
      found = f;
    else
      others.push_back(f);
  }
  s.preempted.append(others);
  s.preempted_count.store(static_cast<std::uint32_t>(s.preempted.size()), relaxed);
  return found;
}

namespace {

// Wakes a sleeping worker with an idle processor; it counts as spinning already. It is counted only once there is one:
// a count without a worker behind it would keep others from waking anybody, and nobody would look again for them.
//
// With no worker asleep an interrupted fiber gets the processor, on the thread it waits on, for it may hold what the
// maker of threads wants:
//     f1, in dl_iterate_phdr's callback     f2: dlclose                     spawner
//     holds the loader's write lock
//     is interrupted, waits for a turn
//                                           holds the loader's TLS lock,
//                                           waits for the write lock        pthread_create waits for the TLS lock
// Were the processor kept for a new thread, none would ever come.
void start_spinning_worker() noexcept {
  scheduler& s = sched();
  worker* m = nullptr;
  bool spare = true;
  {
    const std::lock_guard hold(s.lock);
    processor* p = s.idle_processors;
    if (p == nullptr) return;
    if (s.idle_workers != nullptr) {
      std::uint32_t none = 0;
      if (!s.spinning.compare_exchange_strong(none, 1, seq_cst)) return;
      m = pop_idle_worker();
      m->spinning = true;
    } else {
      spare = false;
      if (const fiber* f = pop_preempted_at_home()) m = f->home;
    }
    if (m != nullptr) {
      s.idle_processors = p->next_idle;
      s.idle_count.fetch_sub(1, seq_cst);
      p->owner.store(m, release);
      m->handed.store(p, release);  // pairs with the exchange of whoever waits for it
    }
  }
  if (m != nullptr) m->wake.post();
  if (!spare)
    want_spare_worker();  // they are blocked or wait with fibers of their own; or starting, and look when they lie down
}

}  // namespace

void wake_one() noexcept {
  const scheduler& s = sched();
  // (S), second half: the caller has published its work and put a store-load fence behind it. Partner: (R) in
  // find_work.
  if (s.idle_count.load(seq_cst) == 0 || s.spinning.load(seq_cst) != 0) return;
  start_spinning_worker();
}

void wake_or_preempt() noexcept {
  const scheduler& s = sched();
  if (s.idle_count.load(seq_cst) != 0) return wake_one();
  if (s.long_turns.load(relaxed) != 0) preempt_long_turn();
}

void hand_to(worker* m, processor* p) noexcept {
  p->owner.store(m, release);
  m->handed.store(p, release);  // pairs with the exchange of whoever waits for it
  m->wake.post();
}

bool work_anywhere() noexcept {
  const scheduler& s = sched();
  if (s.global_size.load(seq_cst) != 0 || s.preempted_count.load(seq_cst) != 0) return true;
  return std::ranges::any_of(s.processors,
                             [](const auto& p) { return !p->ring.empty() || p->runnext.load(seq_cst) != nullptr; });
}

void want_spare_worker() noexcept {
  scheduler& s = sched();
  if (s.starting_workers.load(seq_cst) == 0) s.spawner_wake.post();
}

void stop_spinning(worker* m) noexcept {
  if (!m->spinning) return;
  m->spinning = false;
  // The last spinner found work: there may be more.
  if (sched().spinning.fetch_sub(1, seq_cst) == 1) wake_one();
}

void hand_off(processor* p) noexcept {
  scheduler& s = sched();
  bool stays = false;
  {
    const std::lock_guard hold(s.lock);
    stays = !begin_retirement_locked(*p);
    if (stays) {
      p->owner.store(nullptr, release);
      p->next_idle = s.idle_processors;
      s.idle_processors = p;
      s.idle_count.fetch_add(1, seq_cst);
    }
  }
  if (!stays) return finish_retirement(p);
  full_fence();  // (R): whoever submitted to another ring saw no processor idle
  if (work_anywhere() || p->timers.earliest() != k_forever || the_poller().watched() != 0) wake_one();
}

void ready(fiber* f) noexcept {
  const section in;
  ready(in.here(), f);
}

void ready(worker* m, fiber* f) noexcept {
  count_wake(f);
  if (f->is_foreign()) {
    f->foreign_wake.post();
    return;
  }
  if (m == nullptr || m->p == nullptr) {
    const foreign_visit inside(m);
    push_global(f);
    full_fence();  // (S)
    return wake_or_preempt();
  }
  if (chaos::migrate()) {
    push_global(f);
    full_fence();  // (S)
    return wake_one();
  }
  processor* p = m->p;
  fiber* kicked = exchange_runnext(p, f);
  if (kicked == nullptr) {
    if (sched().idle_count.load(seq_cst) == 0) return;
    p->wake_owed.store(true, relaxed);
    if (p->park_habit.load(relaxed) >= processor::k_habit && p->ring.empty()) return;
    return wake_one();
  }
  push_local(p, kicked);
  if (sched().alone.load(relaxed)) return;
  full_fence();  // (S): before the first look at the idle ones
  wake_one();
}

void ready_new(worker* m, fiber* f) noexcept {
  if (m == nullptr || m->p == nullptr) return ready(m, f);
  processor* p = m->p;
  if (fiber* kicked = exchange_runnext(p, f)) push_local(p, kicked);
  if (sched().alone.load(relaxed)) return;
  full_fence();  // (S)
  wake_one();
}

namespace {

// Those of bubbles are counted, foreign threads are woken; what is left.
fiber_list wake_foreign(fiber_list& list) noexcept {
  if (!list.may_hold_foreign() && !any_bubble()) return std::exchange(list, {});
  fiber_list ours;
  while (fiber* f = list.pop_front()) {
    count_wake(f);
    if (f->is_foreign())
      f->foreign_wake.post();
    else
      ours.push_back(f);
  }
  return ours;
}

void push_global(fiber_list& many) noexcept {
  scheduler& s = sched();
  {
    const std::lock_guard hold(s.lock);
    s.global.append_begun(many);
    s.global_size.store(static_cast<std::uint32_t>(s.global.size()), relaxed);
  }
  full_fence();  // (S)
  wake_or_preempt();
}

}  // namespace

void ready(fiber_list& list) noexcept {
  if (list.empty()) return;
  if (list.size() == 1) return ready(list.pop_front());
  fiber_list ours = wake_foreign(list);
  const section in;
  worker* m = in.here();
  if (ours.size() == 1) return ready(m, ours.pop_front());
  if (ours.empty()) return;
  const foreign_visit inside(m);
  if (m == nullptr || m->p == nullptr || ours.size() > run_queue<fiber>::k_capacity / 2) return push_global(ours);
  while (fiber* f = ours.pop_front()) push_local(m->p, f);
  full_fence();  // (S)
  wake_one();    // and each one woken wakes the next
}

void hand_out(fiber_list& list) noexcept {
  fiber_list ours = wake_foreign(list);
  if (ours.empty()) return;
  const section in;
  const foreign_visit inside(in.here());
  push_global(ours);
}

void run_due_timers(processor* mine, processor* whose, std::int64_t now) noexcept {
  sched().coarse_clock.store(now, relaxed);
  if (whose->timers.earliest() > now) return;
  const outside_bubbles scope;  // this may be the stack of a fiber that leaves
  fiber_list due;
  whose->timers.run_due(now, due);
  fiber_list ours = wake_foreign(due);
  while (fiber* f = ours.pop_front()) push_local(mine, f);
}

void timer_inserted(processor* p, std::int64_t when) noexcept {
  scheduler& s = sched();
  if (s.idle_count.load(seq_cst) == 0) {
    arm_for_timer(p, when);
    // While timers are set it looks often enough.
    constexpr std::int64_t k_often_ns = 2'000'000;
    if (when < s.monitor_until.load(relaxed) - k_often_ns) s.monitor_wake.post();
  }
  // seq_cst load after the seq_cst store of timers::earliest_; partner: the time keeper's store of keeper_until in
  // find_work.
  const std::int64_t until = s.keeper_until.load(seq_cst);
  if (when >= until) {
    // Nobody keeps the time. Whoever is awake looks at it before he rests, and becomes the keeper; but all may be
    // blocked with their fibers, beside a processor that was handed off:
    //     the worker that kept the time      the monitor                       a blocked or a foreign thread
    //     wakes for a timer, takes the last
    //     processor, runs its fiber;
    //     it blocks                          hands the processor off: there is
    //                                        no work, so it wakes nobody
    //                                                                          sets a timer
    if (until == 0) wake_one();
    return;
  }
  worker* keeper;
  {
    const std::lock_guard hold(s.lock);
    keeper = s.time_keeper;
    if (keeper == nullptr || when >= s.keeper_until.load(relaxed)) return;
    s.keeper_until.store(when, seq_cst);  // the next inserter need not wake it again
  }
  keeper->wake.post();  // it looks at all timers again; a stray token costs one round more
}

}  // namespace weft::runtime
