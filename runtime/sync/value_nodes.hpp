// The nodes that do not cancel: values, detachments, users' own contexts.
#pragma once
#include <memory>

#include "runtime/sync/context_node.hpp"

namespace weft::runtime {

struct value_node : context_node {
  value_node(context_node* parent, cancel_node* canceler, const void* k, std::shared_ptr<const void> v) noexcept
      : context_node(node_kind::value, parent, canceler), key(k), value(std::move(v)) {}
  const void* const key;
  const std::shared_ptr<const void> value;
};

// without_cancel.
struct detached_node : context_node {
  explicit detached_node(context_node* parent) noexcept : context_node(node_kind::detached, parent, nullptr) {}
};

// A user's context. Its canceler is the parent's while done() is the parent's; else one of its own, which a fiber
// cancels when that channel closes.
struct custom_node : context_node {
  custom_node(context_node* parent, cancel_node* canceler, std::shared_ptr<context_base> u) noexcept
      : context_node(node_kind::custom, parent, canceler), user(std::move(u)) {}
  const std::shared_ptr<context_base> user;
  context follower;           // the canceler of its own, or background
  chan<void> gone = nullptr;  // closed when the node goes: ends the following fiber
};

void destroy_custom(custom_node*) noexcept;

// Of a user's context: null while it is alive. One that ended and names no cause ended for its err().
std::exception_ptr cause_of(const context_base&);

// The nearest user's context at or above n from which n's cancellation comes.
const custom_node* custom_canceler(const context_node* n) noexcept;
// done() of a context that has a user's; null for others, which their node tells (channel_core::done_of).
const detail::channel_core* own_done(const context_node*);

// A context's deadline as an instant, INT64_MAX for none.
std::int64_t deadline_of(const context_node*) noexcept;

// A reference-counted cancel_node below `parent`, live or already cancelled as the parent is.
cancel_node* make_cancel_node(const context& parent, std::uint32_t references = 1);
// The same in two steps: nobody knows of the node before the second. That tells whether it is live.
cancel_node* new_cancel_node(const context& parent, std::uint32_t references);
bool join_tree(cancel_node&) noexcept;

inline context_node* shared(context_node* n) noexcept {
  if (n != nullptr) detail::retain(n);
  return n;
}

}  // namespace weft::runtime
