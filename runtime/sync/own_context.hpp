// A task's own context, made when it is asked for.
//
// Invariants
// 1. fiber::own is set when the fiber is made, and goes once: when its context is made (bound takes its place), or with
// leave_own. It changes under fiber::own_lock, and while that is held *own is there: so a handle's cancel, and the end
// of a run, may look whether the fiber is still the one they mean, and flag it. Blocks are type-stable.
// 2. While own is set, what cancels the parent flags the fiber: its link hangs in the parent's list, as that of a fiber
// bound to it. Below the root it hangs nowhere, for every task would pass there: cancel_root goes through all fibers.
// 3. Only the fiber itself makes the context. It is born as it would be by then: cancelled by the handle, by the
// parent, or live. What comes first wins, as in a node: whoever looks for the end settles what it is (own_end).
#pragma once
#include <exception>
#include <system_error>

#include "runtime/fiber/fiber_list.hpp"
#include "weft/detail/own_context.hpp"

namespace weft::runtime {

using detail::own_context;
using detail::own_end;

// Of an unstarted fiber that nobody knows yet.
void bind_to_own(fiber*, own_context&) noexcept;
// In a section, of the current fiber, when nothing but destructors is left to run: they find it bound to the parent.
void leave_own(fiber*, own_context&) noexcept;
// When it is published, while the run drains: whether the root is cancelled, and with it the fiber's context.
bool ends_with_root(const fiber*) noexcept;
// Flags those whose context would be the root's child; to be made ready go into `woken`.
void cancel_below_root(fiber_list& woken) noexcept;

// What the current fiber is bound to, null: nothing. Throws std::bad_alloc where that must be made.
[[nodiscard]] detail::context_node* make_own(fiber*);
inline detail::context_node* bound_node(fiber* self) {
  return self->own.load(relaxed) == nullptr ? self->bound : make_own(self);
}

// Binds the current fiber, or foreign thread, to another one; gives what it was bound to. Throws as bound_node.
context rebind(fiber*, const context&);

// Of the current fiber's, while it is not made: {} while it is live.
std::error_code error_of(own_context&) noexcept;
std::exception_ptr cause_of(own_context&);  // once it has ended

}  // namespace weft::runtime
