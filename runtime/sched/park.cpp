#include "runtime/sched/park.hpp"

#include <cxxabi.h>

#include <climits>
#include <typeinfo>

#include "runtime/base/clock.hpp"
#include "runtime/sched/blocked.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/chaos.hpp"
#include "runtime/sched/interrupts.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sched/switch.hpp"
#include "weft/error.hpp"

namespace weft::runtime {
namespace {

fiber* make_foreign() {
  fiber* f = fibers().take();
  f->next = nullptr;
  f->cancel.store(0, relaxed);
  f->cancel_given.store(0, relaxed);
  f->shields = 0;
  f->no_preempts.store(0, relaxed);
  f->id.store(sched().next_id.fetch_add(1, relaxed), relaxed);
  f->set_label("");
  f->site.store({}, relaxed);
  f->bound = nullptr;
  f->role = bubble_role::outside;
  f->phase.store(fiber_phase::foreign, release);
  set_this_foreign_fiber(f, [](fiber* gone) noexcept {
    destroy_locals(gone);
    gone->phase.store(fiber_phase::free, release);
    fibers().give(gone);
  });
  return f;
}

// Handling `canceled`, at any depth of nested handlers. The chain of caught exceptions is Itanium C++ ABI 2.2.1: the
// header's fifth word links to the next one, for primary and dependent exceptions alike.
bool handles_canceled() noexcept {
  __cxa_eh_globals_view* here = this_thread_exceptions();
  void* const top = here->caught;
  bool found = false;
  for (void* at = top; at != nullptr && !found; at = static_cast<void**>(at)[4]) {
    here->caught = at;
    const std::type_info* type = abi::__cxa_current_exception_type();
    found = type != nullptr && *type == typeid(canceled);
  }
  here->caught = top;
  return found;
}

// In a section; here null: a foreign thread.
bool exceptions_shield(worker* m) noexcept {
  const __cxa_eh_globals_view* here = m != nullptr ? view_of(m).exceptions : this_thread_exceptions();
  if (here->uncaught != 0) return true;
  return here->caught != nullptr && handles_canceled();
}

constexpr unsigned k_in_bubble = UINT_MAX;  // instead of a processor's index

processor* timer_home(worker* m) noexcept {
  processor* p = processor_of(m);
  return p != nullptr ? p : sched().processors.front();
}

}  // namespace

[[gnu::noinline, gnu::section("weft_same_thread")]] fiber* running_fiber() noexcept {
  const worker* here = this_worker_inline();
  return here == nullptr ? nullptr : here->current.load(relaxed);
}

fiber* foreign_fiber() {
  if (fiber* f = this_foreign_fiber()) return f;
  return make_foreign();
}

bool shielded(const fiber* f) noexcept {
  if (f->shields != 0) return true;
  const section same_thread;
  return exceptions_shield(same_thread.here());
}

bool flagged_and_open(const fiber* f) noexcept { return !f->is_foreign() && !shielded(f); }

// A foreign thread is bound to nothing but within the scopes of `within` and its like. (Unbound it must be quiet: the
// end of a run may still take its block for that of the fiber that had it before.)
wait_mode bound_mode(const fiber* f) noexcept {
  if (f->is_foreign() && f->bound == nullptr) return wait_mode::quiet;
  return f->shields != 0 || exceptions_shield(this_worker()) ? wait_mode::quiet : wait_mode::cancelable;
}

begun_wait begin_wait(fiber* self, wait_mode mode) noexcept {
  const std::uint32_t generation = self->word.prepare(mode);
  // Dekker with cancel_fiber: we stored `preparing` and load the flag, it stores the flag and loads the word; all
  // seq_cst. Either we see the flag or it sees a wait it may claim.
  const std::uint32_t flags = self->cancel.load(seq_cst);
  const bool stop =
      (mode == wait_mode::cancelable && flags != 0) || (mode == wait_mode::at_end && (flags & k_run_ended) != 0);
  if (!stop) return {false, generation};
  self->word.abandon();  // failing means that cancel claimed it in this moment: the same to us
  return {true, generation};
}

std::uint32_t park(section& in, fiber* self, wait_reason reason) noexcept {
  if (self->word.woken_already()) return self->word.why();
  self->reason.store(reason, relaxed);
  self->waits_since.store(sched().coarse_clock.load(relaxed), relaxed);
  if (in.here() == nullptr) {
    if (self->word.commit() != wait_word::commit_result::runs)
      while (!self->foreign_wake.wait()) {
      }
  } else {
    require_processor(in, self);
    if (self->role != bubble_role::outside && waits_durably(self, reason)) [[unlikely]]
      in.moved_to(switch_away(in.here(), self, leave_action::park_durably));
    else
      in.moved_to(switch_away(in.here(), self, leave_action::park));
  }
  return self->word.why();
}

std::uint32_t park_foreign_until(fiber* self, std::int64_t when) noexcept {
  if (self->word.woken_already()) return self->word.why();
  if (self->word.commit() != wait_word::commit_result::runs)
    while (!self->foreign_wake.wait(when))
      if (self->word.claim_current(wait_word::k_timeout, wait_mode::quiet) != claim_result::lost) break;
  return self->word.why();
}

bool wake(worker* here, fiber* f, std::uint32_t generation, std::uint32_t why) noexcept {
  const claim_result c = f->word.claim(generation, why, true);
  if (c == claim_result::from_armed) ready(here, f);
  return c != claim_result::lost;
}

bool wake(fiber* f, std::uint32_t generation, std::uint32_t why, fiber_list& into) noexcept {
  const claim_result c = f->word.claim(generation, why, true);
  if (c == claim_result::from_armed) into.push_back(f);
  return c != claim_result::lost;
}

void finish(worker* here, fiber* f, claim_result c) noexcept {
  if (f->word.transferred(c)) ready(here, f);
}

void cancel_fiber(fiber* f, std::uint32_t flag, fiber_list& into) noexcept {
  f->cancel.fetch_or(flag, seq_cst);  // Dekker with begin_wait, and with open_interrupts
  if (flag == k_run_ended) f->cancel_given.fetch_or(k_run_ended, seq_cst);
  const wait_mode least = flag == k_run_ended ? wait_mode::at_end : wait_mode::cancelable;
  const claim_result c = f->word.claim_current(wait_word::k_canceled, least);
  if (c == claim_result::from_armed) into.push_back(f);
  if (c == claim_result::lost) interrupt_fiber(f);  // it runs, or waits where it may not be disturbed
}

void cancel_call(fiber* f) noexcept {
  f->cancel_given.fetch_or(k_given_canceled, seq_cst);  // Dekker with open_interrupts
  interrupt_fiber(f);
}

unsigned insert_timer(std::int64_t when, fiber* f, std::uint32_t generation) {
  if (f->role != bubble_role::outside) [[unlikely]] {
    f->bubble.load(relaxed)->timers.insert(when, f, generation);
    return k_in_bubble;
  }
  processor* p = timer_home(this_worker());  // in a section; a foreign thread sleeps without timers: park_foreign_until
  p->timers.insert(when, f, generation);
  timer_inserted(p, when);
  return p->index;
}

void insert_timer(std::int64_t when, timer_record* r, std::uint32_t generation) {
  const section in;
  if (any_bubble()) [[unlikely]]
    if (bubble_state* const b = bubble_here()) {
      r->heap.store(k_in_bubble, relaxed);
      return b->timers.insert(when, r, generation);
    }
  const foreign_visit inside(in.here());
  if (!inside.admitted()) {
    r->heap.store(k_unowned, relaxed);
    return sched().unowned.insert(when, r, generation);
  }
  processor* p = timer_home(in.here());
  r->heap.store(p->index, relaxed);
  p->timers.insert(when, r, generation);
  timer_inserted(p, when);
}

void note_stale_timer(unsigned index) noexcept {
  if (index == k_in_bubble) [[unlikely]] {
    if (bubble_state* const b = bubble_here()) b->timers.note_stale();
    return;
  }
  if (index == k_unowned) [[unlikely]]
    return sched().unowned.note_stale();
  const foreign_visit inside(this_worker());
  if (inside.admitted() && index < sched().processors.size()) sched().processors[index]->timers.note_stale();
}

timer_record* take_timer_record() {
  const section in;
  processor* p = processor_of(in.here());
  return p != nullptr ? p->free_timers.take() : timer_records().take();
}

void give_timer_record(timer_record* r) noexcept {
  const section in;
  processor* p = processor_of(in.here());
  if (p != nullptr)
    p->free_timers.give(r);
  else
    timer_records().give(r);
}

void yield_now() noexcept {
  section in;
  fiber* self = in.here()->current.load(relaxed);
  require_processor(in, self);
  in.moved_to(switch_away(in.here(), self, chaos::migrate() ? leave_action::global : leave_action::yield));
}

namespace {

[[gnu::noinline, gnu::section("weft_same_thread")]] bool worker_is_asked() noexcept {
  const worker* here = this_worker_inline();
  if (here == nullptr) return false;
  const processor* p = here->p;
  return p == nullptr ? here->detached.load(relaxed) : (p->attention.load(relaxed) & processor::k_give_way) != 0;
}

}  // namespace

bool asked_to_give_way() noexcept {
  if (chaos::yield() && running_fiber() != nullptr) return true;
  return worker_is_asked();
}

void give_way() noexcept {
  section in;
  fiber* self = in.here()->current.load(relaxed);
  require_processor(in, self);
  if (self->no_preempts.load(relaxed) != 0) return;
  in.moved_to(switch_away(in.here(), self, leave_action::global));  // behind all that wait
}

}  // namespace weft::runtime
