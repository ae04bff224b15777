#include "runtime/sync/own_context.hpp"

#include <mutex>
#include <utility>

#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/context_node.hpp"
#include "runtime/sync/value_nodes.hpp"
#include "weft/error.hpp"
#include "weft/fiber.hpp"

namespace weft::runtime {
namespace {

bool parent_is_canceled(const own_context& o) noexcept {
  const cancel_node* n = canceler_of(o.parent.node());
  return n != nullptr && n->state.load(seq_cst) != cancel_state::live;
}

// Settles it where the parent has ended.
own_end end_of(own_context& o) noexcept {
  own_end seen = o.end.load(acquire);
  if (seen == own_end::none && parent_is_canceled(o) &&
      o.end.compare_exchange_strong(seen, own_end::by_parent, acq_rel, acquire))
    return own_end::by_parent;
  return seen;
}

bool below_root(const own_context& o) noexcept { return canceler_of(o.parent.node()) == &root(); }

// Out of the parent's list; passes its lock.
void unhang(fiber* self, const own_context& o) noexcept {
  if (self->link.linked.load(relaxed)) unlink_waiter(*canceler_of(o.parent.node()), self->link);
}

}  // namespace

void bind_to_own(fiber* f, own_context& o) noexcept {
  o.fiber = f;
  f->own.store(&o, release);
  cancel_node* const above = canceler_of(o.parent.node());
  if (above != nullptr && above != &root()) hang(f, *above);
}

bool ends_with_root(const fiber* f) noexcept {
  const own_context* const o = f->own.load(relaxed);
  return o != nullptr && below_root(*o) && parent_is_canceled(*o);
}

void cancel_below_root(fiber_list& woken) noexcept {
  fibers().for_each([&](fiber& f) {
    if (f.phase.load(acquire) < fiber_phase::unstarted || f.own.load(relaxed) == nullptr) return;
    const std::lock_guard hold(f.own_lock);
    const own_context* const o = f.own.load(acquire);
    if (o != nullptr && below_root(*o)) cancel_fiber(&f, k_bound_canceled, woken);
  });
}

void leave_own(fiber* self, own_context& o) noexcept {
  if (self->own.load(relaxed) != &o) return;
  unhang(self, o);
  {
    const std::lock_guard hold(self->own_lock);
    self->own.store(nullptr, relaxed);
  }
  self->bound = shared(o.parent.node());  // for destructors that ask
  if (self->cancel.load(relaxed) != 0) self->cancel.fetch_and(~k_bound_canceled, relaxed);
}

context_node* make_own(fiber* self) {
  own_context& o = *self->own.load(relaxed);
  cancel_node* const n = new_cancel_node(o.parent, 2);  // the task's reference and the fiber's
  if (self->own.load(relaxed) == nullptr) {  // the parent is a user's context, whose deadline() has asked for this one
    n->references.store(1, relaxed);
    detail::release(n);
    return self->bound;
  }
  const section in;
  unhang(self, o);
  const std::lock_guard hold(self->own_lock);
  self->own.store(nullptr, relaxed);
  o.node = n;
  bind_to_new(self, *n, end_of(o) == own_end::by_handle);
  return n;
}

context rebind(fiber* self, const context& to) {
  static_cast<void>(bound_node(self));  // it comes back to it
  context before = context::adopt(unbind_fiber(self));
  bind_fiber(self, shared(to.node()));
  return before;
}

std::error_code error_of(own_context& o) noexcept {
  switch (end_of(o)) {
    case own_end::none:
      break;
    case own_end::by_handle:
      return errc::canceled;
    case own_end::by_parent:
      return error_of(*canceler_of(o.parent.node()));  // also below a user's context, as a node says it
  }
  return {};
}

std::exception_ptr cause_of(own_context& o) {
  if (end_of(o) == own_end::by_parent) return o.parent.cause();
  return std::make_exception_ptr(std::system_error(errc::canceled));
}

}  // namespace weft::runtime

namespace weft::detail {

using namespace runtime;

void cancel_own(own_context& o) noexcept {
  auto* const f = static_cast<runtime::fiber*>(o.fiber);
  context_node* made = nullptr;
  {
    const section in;
    fiber_list woken;
    {
      const std::lock_guard hold(f->own_lock);
      if (f->own.load(relaxed) != &o) {
        made = o.node;
      } else {
        if (own_end seen = end_of(o); seen == own_end::none)
          o.end.compare_exchange_strong(seen, own_end::by_handle, acq_rel, relaxed);
        cancel_fiber(f, k_bound_canceled, woken);
      }
    }
    ready(woken);
  }
  if (made != nullptr) runtime::cancel(*static_cast<cancel_node*>(made), cancel_state::canceled);
}

void end_own(own_context& o) noexcept {
  const auto* n = static_cast<const cancel_node*>(o.node);
  if (n == nullptr) return;
  if (n->references.load(acquire) != 1 || n->has_done.load(relaxed) || n->stop != nullptr) {
    const shield_scope no_throw;  // stop callbacks are the user's
    runtime::cancel(*static_cast<cancel_node*>(o.node), cancel_state::canceled);
  }
  release(std::exchange(o.node, nullptr));
}

}  // namespace weft::detail
