// The public face of contexts.
#include "weft/context.hpp"

#include <algorithm>
#include <mutex>
#include <system_error>
#include <utility>

#include "runtime/sched/bubble.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/channel.hpp"
#include "runtime/sync/context_node.hpp"
#include "runtime/sync/value_nodes.hpp"
#include "weft/fiber.hpp"

namespace weft::runtime {

std::int64_t deadline_of(const context_node* n) noexcept {
  for (; n != nullptr; n = n->parent) {
    if (n->kind == node_kind::cancel) return static_cast<const cancel_node*>(n)->deadline;
    if (n->kind == node_kind::detached) return INT64_MAX;
    if (n->kind == node_kind::custom) {
      const auto d = static_cast<const custom_node*>(n)->user->deadline();
      return d ? d->time_since_epoch().count() : INT64_MAX;
    }
  }
  return INT64_MAX;
}

cancel_node* new_cancel_node(const context& parent, std::uint32_t references) {
  cancel_node* above = canceler_of(parent.node());
  if (above == &root()) above = shard_of_root(this_worker());  // any will do
  auto* n = new cancel_node(shared(parent.node()), above, references);
  n->deadline = deadline_of(parent.node());
  return n;
}

bool join_tree(cancel_node& n) noexcept {
  cancel_node* const above = n.above;
  if (above == nullptr) return true;
  const section in;
  const std::lock_guard hold(above->lock);
  const cancel_state state = above->state.load(relaxed);
  if (state == cancel_state::live) {
    add_child(*above, n);
    return true;
  }
  n.inherits_cause = true;
  n.state.store(state, relaxed);
  n.told.store(true, relaxed);
  n.settled.store(true, relaxed);
  return false;
}

cancel_node* make_cancel_node(const context& parent, std::uint32_t references) {
  cancel_node* const n = new_cancel_node(parent, references);
  join_tree(*n);
  return n;
}

namespace {

void on_deadline(void* owner, std::uint32_t, std::int64_t, fiber_list&) {
  auto* n = static_cast<cancel_node*>(owner);
  // The node's end waits for this callback, so it is there; but it may be on its way out.
  if (!retain_unless_gone(*n)) return;
  cancel(*n, cancel_state::deadline_exceeded, &n->deadline_cause);
  detail::release(n);
}

// With two references.
cancelable as_pair(cancel_node* n) noexcept { return {context::adopt(n), cancel_func::adopt(n)}; }

std::exception_ptr as_exception(const cancel_cause& cause, std::error_code err) {
  if (const auto* e = std::get_if<std::exception_ptr>(&cause); e != nullptr && *e != nullptr) return *e;
  const auto* code = std::get_if<std::error_code>(&cause);
  return std::make_exception_ptr(std::system_error(code != nullptr && *code ? *code : err));
}

const recv_chan<void>& done_of(cancel_node& n) {
  if (n.has_done.load(acquire)) return n.done;
  chan<void> fresh;
  const section in;
  const std::lock_guard hold(n.lock);
  if (n.has_done.load(relaxed)) return n.done;
  fresh.core()->done_of = &n;
  if (n.state.load(relaxed) != cancel_state::live) fresh.core()->closed = true;
  n.done = std::move(fresh);
  n.has_done.store(true, release);
  return n.done;
}

const recv_chan<void>& never() noexcept {
  static const recv_chan<void> nil;
  return nil;
}

const custom_node* as_custom(const context_node* n) noexcept {
  return n != nullptr && n->kind == node_kind::custom ? static_cast<const custom_node*>(n) : nullptr;
}

}  // namespace

const custom_node* custom_canceler(const context_node* n) noexcept {
  for (; n != nullptr; n = n->parent) {
    if (n->kind == node_kind::custom) return as_custom(n);
    if (n->kind != node_kind::value) return nullptr;
  }
  return nullptr;
}

const detail::channel_core* own_done(const context_node* n) {
  const custom_node* c = custom_canceler(n);
  return c == nullptr ? nullptr : c->user->done().core();
}

}  // namespace weft::runtime

namespace weft {

using namespace runtime;

std::optional<clock::time_point> context::deadline() const {
  const std::int64_t d = deadline_of(node_);
  if (d == INT64_MAX) return std::nullopt;
  return clock::time_point(clock::duration(d));
}

const recv_chan<void>& context::done() const {
  if (const custom_node* c = custom_canceler(node_)) return c->user->done();
  cancel_node* n = canceler_of(node_);
  return n == nullptr ? never() : done_of(*n);
}

std::error_code context::err() const noexcept {
  if (const custom_node* c = custom_canceler(node_)) return c->user->err();
  const cancel_node* n = canceler_of(node_);
  return n == nullptr ? std::error_code{} : error_of(*n);
}

std::exception_ptr context::cause() const {
  if (const custom_node* c = custom_canceler(node_)) return cause_of(*c->user);
  const cancel_node* n = canceler_of(node_);
  if (n == nullptr) return nullptr;
  const std::error_code err = error_of(*n);
  if (!err) return nullptr;
  while (n->inherits_cause) {
    if (const custom_node* c = custom_canceler(n->parent)) return cause_of(*c->user);
    n = canceler_of(n->parent);
  }
  return as_exception(n->cause, err);
}

std::stop_token context::stop_token() const {
  cancel_node* n = canceler_of(node_);
  if (n == nullptr) return {};
  auto fresh = std::make_unique<std::stop_source>();
  bool canceled;
  std::stop_token token;
  {
    const section in;
    const std::lock_guard hold(n->lock);
    if (n->stop == nullptr) n->stop = std::move(fresh);
    canceled = n->state.load(relaxed) != cancel_state::live;
    token = n->stop->get_token();
  }
  if (canceled) request_stop(*n);  // nobody will any more
  return token;
}

cancel_func& cancel_func::operator=(cancel_func&& o) noexcept {
  const cancel_func before(std::move(*this));  // its destructor cancels
  node_ = std::exchange(o.node_, nullptr);
  return *this;
}

cancel_func::~cancel_func() {
  if (node_ == nullptr) return;
  (*this)();
  detail::release(node_);
}

void cancel_func::operator()() const noexcept {
  if (node_ != nullptr) runtime::cancel(*static_cast<cancel_node*>(node_), cancel_state::canceled);
}

void cancel_func::operator()(cancel_cause cause) const noexcept {
  if (node_ != nullptr) runtime::cancel(*static_cast<cancel_node*>(node_), cancel_state::canceled, &cause);
}

void cancel_func::release() noexcept {
  if (node_ != nullptr) detail::release(std::exchange(node_, nullptr));
}

cancelable with_cancel(const context& parent) { return as_pair(make_cancel_node(parent, 2)); }
cancelable with_cancel_cause(const context& parent) { return with_cancel(parent); }

cancelable with_deadline_cause(const context& parent, clock::time_point when, cancel_cause cause) {
  cancel_node* n = make_cancel_node(parent, 2);
  cancelable made = as_pair(n);
  const std::int64_t at = when.time_since_epoch().count();
  if (n->deadline <= at) return made;  // the parent's comes first
  n->deadline = at;
  if (at <= local_now()) {
    runtime::cancel(*n, cancel_state::deadline_exceeded, &cause);
    return made;
  }
  n->deadline_cause = std::move(cause);
  timer_record* timer = take_timer_record();
  timer->set(&on_deadline, n);
  const section in;
  {
    const std::lock_guard hold(n->lock);
    n->timer = timer;
    if (n->state.load(relaxed) != cancel_state::live) return made;
    // Armed under the lock: a cancel that comes later stops it.
  }
  insert_timer(at, timer, timer->arm());
  if (n->state.load(seq_cst) != cancel_state::live && timer->stop()) note_stale_timer(timer->heap.load(relaxed));
  return made;
}

cancelable with_deadline(const context& parent, clock::time_point when) {
  return with_deadline_cause(parent, when, std::exception_ptr());
}
cancelable with_timeout(const context& parent, timespan d) {
  return with_timeout_cause(parent, d, std::exception_ptr());
}
cancelable with_timeout_cause(const context& parent, timespan d, cancel_cause cause) {
  const std::int64_t when = saturating_add(local_now(), std::max<std::int64_t>(d.ns, 0));
  return with_deadline_cause(parent, clock::time_point(clock::duration(when)), std::move(cause));
}

context without_cancel(const context& parent) { return context::adopt(new detached_node(shared(parent.node()))); }

context with_stop_token(const context& parent, std::stop_token token) {
  cancel_node* n = make_cancel_node(parent);
  context made = context::adopt(n);
  // The callback is removed, or has ended, before the node goes.
  n->on_stop =
      std::make_unique<std::stop_callback<std::function<void()>>>(std::move(token), std::function<void()>([n] {
                                                                    // What the cancel runs may drop the last handle: a
                                                                    // callback's end does not wait for itself.
                                                                    if (!retain_unless_gone(*n)) return;
                                                                    runtime::cancel(*n, cancel_state::canceled);
                                                                    release_elsewhere(n);
                                                                  }));
  return made;
}

namespace detail {

const void* find_value(const context_node* n, const void* key) noexcept {
  for (; n != nullptr; n = n->parent) {
    if (n->kind == node_kind::value) {
      const auto* v = static_cast<const value_node*>(n);
      if (v->key == key) return v->value.get();
    } else if (const custom_node* c = as_custom(n)) {
      return c->user->value(key);
    }
  }
  return nullptr;
}

context_node* make_value_node(const context& parent, const void* key, std::shared_ptr<const void> value) {
  return new value_node(shared(parent.node()), canceler_of(parent.node()), key, std::move(value));
}

std::error_code error_of_context(const context& ctx) noexcept {
  const std::error_code e = ctx.err();
  return e ? e : make_error_code(errc::canceled);  // a wait that the end of the runtime cut short
}

}  // namespace detail
}  // namespace weft
