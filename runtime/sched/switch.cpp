#include "runtime/sched/switch.hpp"

#include <exception>
#include <utility>

#include "arch/fiber_entry.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/fatal.hpp"
#include "runtime/sched/blocked.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/find_work.hpp"
#include "runtime/sched/interrupts.hpp"
#include "runtime/sched/monitor.hpp"
#include "runtime/sched/preempt.hpp"
#include "runtime/sched/resize.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"

namespace weft::runtime {
namespace {

// A fresh fiber gets its stack now, in its first turn.
void bind_stack(processor* p, fiber* f) noexcept {
  try {
    f->stack = p->stacks.take(f->stack_size);
  } catch (const std::exception& e) {
    char name[fiber::k_label_size];
    const int length = static_cast<int>(f->copy_label(name));
    fatal("no stack for fiber %llu '%.*s': %s", static_cast<unsigned long long>(f->id.load(relaxed)), length, name,
          e.what());
  }
  const auto size = static_cast<std::size_t>(f->stack->top - f->stack->low);
  f->registers = boost::context::detail::make_fcontext(f->stack->top, size, &weft_fiber_entry);
  f->exceptions = {nullptr, 0};
  annotate_create(*f, f->stack->low, size);
  f->phase.store(fiber_phase::started, relaxed);
}

void free_block(processor* p, fiber* f) noexcept {
  f->phase.store(fiber_phase::free, release);
  p->free_fibers.give(f);
}

// Whoever drains the run waits for fibers to end. The store-load fence between the two halves is on their side:
// heavy_fence.
void count_end(processor* p) noexcept {
  p->finished.store(p->finished.load(relaxed) + 1, release);
  scheduler& s = sched();
  if (s.phase.load(relaxed) < run_phase::draining) [[likely]]
    return;
  s.ended_epoch.fetch_add(1, release);
  futex_wake(s.ended_epoch);
}

void recycle(processor* p, fiber* f) noexcept {
  annotate_destroy(*f);
  p->stacks.give(f->stack);
  f->stack = nullptr;
  free_block(p, f);
  count_end(p);
}

void begin_turn(worker* m, fiber* f) noexcept {
  m->current.store(f, relaxed);
  follow_interrupts(m, f);
}

// With timers pending the clock is read so often; the monitor raises `attention` when one is overdue.
constexpr std::uint32_t k_turns_a_look = 16;
bool timers_pend(const processor& p) noexcept { return p.timers.earliest() != k_forever; }

// The successor of a fiber that leaves, if it is close at hand.
fiber* next_here(processor* p, bool asked) noexcept {
  if (timers_pend(*p) && (p->tick.load(relaxed) % k_turns_a_look == 0 || asked)) run_due_timers(p, p, now_ns());
  if (fiber* f = next_local(p)) return f;
  return take_global(p);
}

// The filler of runnext gives way soon after: a habit that saves wake-ups.
void learn_habit(processor* p) noexcept {
  if (!p->wake_owed.load(relaxed)) return;
  p->wake_owed.store(false, relaxed);
  const int habit = p->park_habit.load(relaxed);
  if (habit < processor::k_habit_most) p->park_habit.store(habit + 1, relaxed);
}

// Null where it is another thread's: the worker's own stack passes it on.
fiber* unless_homed(worker* m, fiber* f) noexcept {
  if (f == nullptr || !f->homed) [[likely]]
    return f;
  m->at_hand = f;
  return nullptr;
}

[[gnu::noinline]] fiber* choose_with_care(worker* m) noexcept {
  processor* p = m->p;
  learn_habit(p);
  const bool asked = p->attention.load(relaxed) != 0;
  if (asked) end_turn(p);
  const bool goes = asked && is_surplus(*p);  // the worker's own stack sees to it
  fiber* f = m->locked != nullptr || goes ? nullptr : unless_homed(m, next_here(p, asked));
  if (f == nullptr) m->current.store(nullptr, relaxed);
  return f;
}

// Whether the next turn is one like most others: nothing is asked or owed, nobody but the next in order has a claim.
bool next_is_plain(const worker& m, const processor& p) noexcept {
  const std::uint32_t left = p.turns_to_global - 1;
  return p.attention.load(relaxed) == 0 && m.locked == nullptr && !p.wake_owed.load(relaxed) && left != 0 &&
         left != processor::k_global_interval / 2 && (!timers_pend(p) || p.tick.load(relaxed) % k_turns_a_look != 0);
}

// Null: the worker's own stack must see to it what comes next. Calls nothing where the turn is plain.
[[gnu::always_inline]] inline fiber* choose_next(worker* m) noexcept {
  processor* p = m->p;
  if (!next_is_plain(*m, *p)) [[unlikely]]
    return choose_with_care(m);
  fiber* f = next_in_order(p);
  if (f == nullptr) [[unlikely]]
    return choose_with_care(m);
  p->tick.store(p->tick.load(relaxed) + 1, relaxed);
  --p->turns_to_global;
  f = unless_homed(m, f);
  if (f == nullptr) [[unlikely]]
    m->current.store(nullptr, relaxed);
  return f;
}

execution& successor(worker* m) noexcept {
  processor* p = m->p;
  fiber* f = choose_next(m);
  if (f == nullptr) return m->base;
  if (f->phase.load(relaxed) == fiber_phase::unstarted) bind_stack(p, f);
  begin_turn(m, f);
  return *f;
}

}  // namespace

namespace {

[[gnu::always_inline]] inline void complete(worker* m) noexcept {
  fiber* f = m->predecessor;
  const leave_action action = m->action;
  if (action == leave_action::yield) return push_local(m->p, f);
  if (action == leave_action::park) {
    if (f->word.commit() == wait_word::commit_result::runs) ready(m, f);
    return;
  }
  if (action == leave_action::global || action == leave_action::preempted) {
    action == leave_action::global ? push_global(f) : push_preempted(f);
    full_fence();  // (S)
    return wake_one();
  }
  if (action == leave_action::exit) return recycle(m->p, f);
  if (action == leave_action::park_durably) commit_durable_wait(m, f);
}

}  // namespace

void complete_switch(worker* m) noexcept { complete(m); }

worker* switch_away(worker* m, fiber* self, leave_action action) noexcept {
  m->predecessor = self;
  m->action = action;
  execution& to = successor(m);
  m = switch_execution(m, *self, to);
  complete(m);
  return m;
}

void worker_main(worker* m) noexcept {
  set_this_worker(m);
  m->exceptions = this_thread_exceptions();
  annotate_thread(m->base);
  section::enter(m);
  while (fiber* f = m->locked != nullptr ? await_locked(m) : find_work(m)) {
    monitor_needed();
    end_turn(m->p);
    if (f->phase.load(relaxed) == fiber_phase::unstarted) bind_stack(m->p, f);
    begin_turn(m, f);
    m->action = leave_action::none;
    switch_execution(m, m->base, *f);
    complete(m);
  }
  section::leave(m);
  set_this_worker(nullptr);
}

namespace {

// One fiber from its first instruction to its last. In the runtime when it is entered and left.
[[gnu::noinline]] void run_fiber(fiber* self) noexcept(false) {
  section::leave(this_worker());
  self->entry(self);
  worker* m = section::enter();
  if (m->p == nullptr) [[unlikely]]
    regain_processor(m, self);
}

// After `self` has ended: the next one, when it is as fresh, goes on on the same warm stack. Null: somebody else must
// be switched to.
fiber* adopt_next(worker* m, fiber* self, execution*& to) noexcept {
  processor* p = m->p;
  if (self->homed) [[unlikely]] {  // it ended with its thread locked
    self->set_home(nullptr);
    m->locked = nullptr;
  }
  fiber* f = choose_next(m);
  if (f == nullptr) {
    to = &m->base;
    return nullptr;
  }
  // An open stack is looked at between two fibers: guard.hpp.
  if (f->phase.load(relaxed) != fiber_phase::unstarted || f->stack_size != self->stack_size || self->stack->open) {
    if (f->phase.load(relaxed) == fiber_phase::unstarted) bind_stack(p, f);
    begin_turn(m, f);
    to = f;
    return nullptr;
  }
  f->stack = std::exchange(self->stack, nullptr);
  annotate_adopt(*f, *self);
  f->phase.store(fiber_phase::started, relaxed);
  begin_turn(m, f);
  free_block(p, self);
  count_end(p);
  return f;
}

}  // namespace
}  // namespace weft::runtime

extern "C" weft_departure weft_fiber_main(boost::context::detail::transfer_t from) {
  using namespace weft::runtime;
  worker* m = static_cast<worker*>(from.data);
  fiber* self = m->current.load(relaxed);
  complete_switch(arrive(from, *self));
  for (;;) {
    run_fiber(self);
    m = this_worker();
    execution* to = nullptr;
    fiber* next = adopt_next(m, self, to);
    if (next == nullptr) {
      m->predecessor = self;
      m->action = leave_action::exit;
      return leave_execution(m, *self, *to);
    }
    self = next;
  }
}
