#include "runtime/sync/spawn.hpp"

#include <sched.h>

#include <stdexcept>

#include "runtime/base/fatal.hpp"
#include "runtime/base/membarrier.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/stack/stack.hpp"
#include "runtime/sync/context_node.hpp"
#include "runtime/sync/own_context.hpp"
#include "weft/error.hpp"
#include "weft/fiber.hpp"

namespace weft::runtime {
namespace {

void assign_id(fiber* f, processor* p) noexcept {
  constexpr std::uint64_t k_batch = 64;
  if (p == nullptr) {
    f->id.store(sched().next_id.fetch_add(1, relaxed), relaxed);
    return;
  }
  if (p->next_id == p->end_of_ids) {
    p->next_id = sched().next_id.fetch_add(k_batch, relaxed);
    p->end_of_ids = p->next_id + k_batch;
  }
  f->id.store(p->next_id++, relaxed);
}

// In a section: everything but its closure and binding.
fiber* take_block(worker* here, std::size_t stack_size, std::source_location site, std::string_view name,
                  void (*entry)(fiber*)) {
  scheduler& s = sched();
  processor* p = processor_of(here);
  fiber* f = p != nullptr ? p->free_fibers.take() : fibers().take();
  f->next = nullptr;
  f->cancel.store(0, relaxed);
  f->cancel_given.store(0, relaxed);
  f->shields = f->thread_locks = 0;
  f->no_preempts.store(0, relaxed);
  f->set_home(nullptr);
  f->reason.store(wait_reason::none, relaxed);
  f->stack_size = stack_size;
  f->migratable = false;
  f->entry = entry;
  f->site.store(site, relaxed);
  f->bound = nullptr;
  f->role = bubble_role::outside;
  f->set_label(name);
  assign_id(f, p);
  // Under way: it counts as live from here.
  if (p != nullptr)
    p->started.store(p->started.load(relaxed) + 1, release);
  else
    s.foreign_started.fetch_add(1, acq_rel);
  if (any_bubble()) [[unlikely]]
    join_bubble(f);
  return f;
}

// Destroys what the fiber ran, and all that was its own, shielded: nothing may be thrown out of destructors.
void take_leave(fiber* self) noexcept {
  ++self->shields;
  self->body.destroy(self->closure);
  destroy_locals(self);
  if (context_node* bound = unbind_fiber(self)) detail::release(bound);
  --self->shields;
  if (self->role != bubble_role::outside) [[unlikely]]
    leave_bubble(self);
}

// An exception other than `canceled` finds no handler here or below, so std::terminate is called where it was thrown,
// with the stack intact.
void run_body(fiber* self) {
  try {
    self->body.run(self->closure);
  } catch (const canceled&) {
    // an ordinary end
  }
}

void enter_fiber(fiber* self) {
  if ((self->cancel.load(acquire) & k_run_ended) == 0) run_body(self);
  take_leave(self);
}

// What the runtime owes is done also when the run ends: somebody may be waiting for it.
void enter_owed_fiber(fiber* self) {
  run_body(self);
  take_leave(self);
}

// What the end of a run has come to, if it did not see the fiber: it sets the phase, cancels the root, and each time
// flags every fiber that it sees. An asymmetric Dekker:
//   here: f->phase = unstarted; a section is entered; load the run's phase, the root's state
//   there: phase = …, or state = …; heavy_fence; load the phases of all fibers
// To enter a section is as much as the light half wants: section.hpp.
void catch_up_with_end(fiber* f) noexcept {
  const run_phase phase = sched().phase.load(acquire);
  if (phase < run_phase::draining) [[likely]]
    return;
  if (ends_with_root(f)) f->cancel.fetch_or(k_bound_canceled, seq_cst);
  if (phase >= run_phase::ending) f->cancel.fetch_or(k_run_ended, seq_cst);
}

}  // namespace

void see_fibers_under_way() noexcept {
  while (!heavy_fence()) {
    if (!has_membarrier()) return full_fence();  // then whoever starts a fiber has one too
    ::sched_yield();                             // the kernel had no memory for it
  }
}

void start_internal_fiber(std::string_view name, void (*run)(void*), void* argument) noexcept {
  struct call {
    void (*run)(void*);
    void* argument;
  };
  static constexpr detail::fiber_body body{[](void* p) { static_cast<call*>(p)->run(static_cast<call*>(p)->argument); },
                                           [](void*) noexcept {}};
  const section in;
  fiber* f = take_block(in.here(), sched().config.stack_size, std::source_location::current(), name, &enter_owed_fiber);
  ::new (static_cast<void*>(f->closure)) call{run, argument};
  f->body = body;
  f->phase.store(fiber_phase::unstarted, release);
  ready_new(in.here(), f);
}

}  // namespace weft::runtime

namespace weft::detail {

using namespace runtime;

unstarted_fiber make_fiber(const launch_options& o, std::source_location site) {
  const std::size_t stack = o.stack_size == 0 ? 0 : round_stack_size(o.stack_size);
  {
    const section in;
    const foreign_visit inside(in.here());  // once the fiber counts as live the run waits for it
    if (inside.admitted()) [[likely]] {
      fiber* f = take_block(in.here(), stack == 0 ? sched().config.stack_size : stack, site, o.name, &enter_fiber);
      f->migratable = o.migratable;
      if (o.own != nullptr) {
        bind_to_own(f, *o.own);
      } else if (o.bound != nullptr && o.bound->node() != nullptr) {
        retain(o.bound->node());
        bind_fiber(f, o.bound->node());
      }
      return {f, f->closure};
    }
  }
  throw std::logic_error("weft: a fiber was started while no runtime is running; call weft::run first");
}

void start_fiber(unstarted_fiber u, const fiber_body& body) noexcept {
  auto* f = static_cast<fiber*>(u.handle);
  f->body = body;
  f->phase.store(fiber_phase::unstarted, runtime::release);
  const section in;
  if (in.here() == nullptr) full_fence();
  catch_up_with_end(f);
  ready_new(in.here(), f);
}

}  // namespace weft::detail
