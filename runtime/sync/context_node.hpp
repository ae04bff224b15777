// The nodes behind weft::context.
//
// Invariants
// 1. A node holds a counted reference to its parent; a parent knows its cancellable children by intrusive links alone,
// and they unlink themselves
//    (under its lock) when they go.
// 2. state of a cancel_node goes once from live to canceled or deadline_exceeded, under its lock, after the cause was
// written. err() reads it with acquire and no lock; where it finds an error it waits for `told`, so that whoever sees
// the error finds the fibers bound to the node flagged and its done channel closed:
//    cancel                       a fiber bound to the node
//    state = canceled
//                                 err(): canceled; waits, and would not be stopped
//    flags the fiber
// As Go's Err does since 1.25 for its done channel. (The flags first would not do: a fiber is thrown at and finds no
// error.)
// 3. Whoever made that step owns the node's `work` link until it has set `settled`: at once where nothing hangs on the
// node, for nothing can any more; else when its whole subtree is cancelled and whoever waits there is ready. Others who
// want it cancelled wait for `settled`, so
//    when cancel() returns the whole subtree is cancelled. A cancel waits only for cancels begun further down: no
//    circle.
// 4. No lock of a node is held while another lock is taken, and nothing of the user's runs in the runtime: after_funcs
// and stop callbacks
//    are collected and run on the caller, or in a fresh fiber when a deadline fires.
// 5. The root is cancelled when main has returned. Its children hang on shards, for every top-level context passes
// there.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

#include "runtime/base/list.hpp"
#include "runtime/base/spin_lock.hpp"
#include "runtime/event/timer_record.hpp"
#include "weft/context.hpp"

namespace weft::runtime {
struct cancel_node;
}

namespace weft::detail {

enum class node_kind : std::uint8_t { cancel, value, detached, custom };

struct context_node {
  context_node(node_kind k, context_node* p, runtime::cancel_node* c, std::uint32_t n = 1) noexcept
      : references(n), kind(k), parent(p), canceler(c) {}

  runtime::atomic<std::uint32_t> references;
  const node_kind kind;
  context_node* const parent;  // counted; null: the root
  runtime::cancel_node*
      canceler;  // whose cancellation is this context's: itself, an ancestor, the root; null: never cancelled
};

struct after_registration {
  enum phase : std::uint32_t { pending, running, stopped, finished };
  after_registration* next = nullptr;
  after_registration* prev = nullptr;
  runtime::atomic<std::uint32_t> references{2};   // the handle's, and the context's or the run's
  runtime::atomic<std::uint32_t> state{pending};  // leaves `pending` under the node's lock; linked while pending
  runtime::cancel_node* node = nullptr;           // counted, until the registration goes; null: never cancelled
  runtime::atomic<runtime::fiber*> runner{nullptr};
  std::move_only_function<void()> run;
  recv_chan<void> over;  // closed when run has returned
};

}  // namespace weft::detail

namespace weft::runtime {

using detail::after_registration;
using detail::context_node;
using detail::node_kind;

enum class cancel_state : std::uint8_t { live, canceled, deadline_exceeded };

struct cancel_node : context_node {
  // `above`: in whose list of children it registers, or null.
  cancel_node(context_node* parent, cancel_node* above, std::uint32_t references = 1) noexcept
      : context_node(node_kind::cancel, parent, this, references), above(above) {}

  atomic<cancel_state> state{cancel_state::live};
  atomic<bool> told{false};     // its own fibers are flagged, its done channel is closed
  atomic<bool> settled{false};  // the whole subtree's are
  bool inherits_cause = false;
  bool owes_stop = false;   // `stop` was there when it was cancelled; one made later is requested by its maker
  bool registered = false;  // in above->children; under above->lock
  spin_lock lock;           // rank: below channels; leaf
  cancel_node* const above;
  cancel_node* next = nullptr;
  cancel_node* prev = nullptr;
  cancel_node* work = nullptr;
  list_of<cancel_node> children;
  list_of<cancel_link> waiters;
  list_of<after_registration> afters;
  atomic<bool> has_done{false};
  recv_chan<void> done;                    // published by has_done
  std::unique_ptr<std::stop_source> stop;  // made under the lock
  cancel_cause cause;
  std::int64_t deadline = INT64_MAX;
  cancel_cause deadline_cause;
  timer_record* timer = nullptr;
  std::unique_ptr<std::stop_callback<std::function<void()>>> on_stop;  // with_stop_token
};

// Under its lock, or before others know of it.
inline void add_child(cancel_node& above, cancel_node& child) noexcept {
  above.children.push_back(&child);
  child.registered = true;
}

cancel_node& root() noexcept;
// Of the node's stop source. It remembers the thread that runs its callbacks, and takes a callback that is destroyed on
// another one for one to be waited for: so the fiber keeps its thread meanwhile,
//     fiber, on m1                              the same, migratable
//     request_stop: the requester is m1
//     the callback begins
//     is interrupted                            goes on on m2
//                                               the callback destroys itself: not the requester, so it waits for its
//                                               end
void request_stop(cancel_node&) noexcept;
// In a callback of somebody else's stop source, run by a fiber: if this was the last reference, another fiber destroys
// the node, and the callback with it.
void release_elsewhere(context_node*) noexcept;

cancel_node* shard_of_root(const void* who) noexcept;  // where a child of the root registers
inline cancel_node* canceler_of(const context_node* n) noexcept { return n == nullptr ? &root() : n->canceler; }

// {} while it is live. Told to the fibers bound to it before it is told here: invariant 2.
std::error_code error_of(const cancel_node&) noexcept;

// For those who know of a node without a reference, while something else keeps its memory: a list, a callback that its
// end waits for.
bool retain_unless_gone(cancel_node&) noexcept;

// Cancels the node and everything below it, and makes ready whom that wakes. Whatever user code must run is run before
// it returns, on this thread. `cause` null: none.
void cancel(cancel_node&, cancel_state, const cancel_cause* cause = nullptr) noexcept;

// For waits: links into the node's list unless it is cancelled already (false).
bool link_waiter(cancel_node&, cancel_link&) noexcept;
void unlink_waiter(cancel_node&, cancel_link&) noexcept;

// A fiber's binding: into the list of who can cancel it, flagged where that has ended.
void hang(fiber*, cancel_node&) noexcept;
// bind takes over one reference to the node.
void bind_fiber(fiber*, context_node*) noexcept;
// The current fiber's, to a node that nobody knows yet: it joins the tree, or is born `canceled`. Takes over one
// reference.
void bind_to_new(fiber*, cancel_node&, bool canceled) noexcept;
context_node* unbind_fiber(fiber*) noexcept;  // gives the reference back

// Whether n is `above` or is cancelled with it. (By the tree of cancellation: below a without_cancel is not below.)
bool derives_from(const cancel_node* n, const cancel_node* above) noexcept;

// The life of a run.
void revive_root();
void cancel_root() noexcept;

}  // namespace weft::runtime
