#include "runtime/sync/context_node.hpp"

#include <mutex>
#include <utility>

#include "runtime/base/spin_until.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/after.hpp"
#include "runtime/sync/channel.hpp"
#include "runtime/sync/own_context.hpp"
#include "runtime/sync/spawn.hpp"
#include "runtime/sync/value_nodes.hpp"
#include "weft/fiber.hpp"

namespace weft::runtime {
namespace {

void await(const atomic<bool>& step) noexcept {
  spin_until([&] { return step.load(acquire); });
}

// Under its lock. But for its done channel.
bool nothing_hangs_on(const cancel_node& n) noexcept {
  return n.children.empty() && n.waiters.empty() && n.afters.empty() && n.stop == nullptr;
}

void stop_deadline(timer_record& timer) noexcept {
  if (timer.stop()) note_stale_timer(timer.heap.load(relaxed));
}

// Most cancels, of a node that nobody has waited on: nothing is to be gone through, nobody to be made ready. False: it
// is not such a one, and nothing has happened.
bool cancel_bare(cancel_node& n, cancel_state why, const cancel_cause* cause) noexcept {
  if (n.has_done.load(relaxed)) return false;  // as it seems; in that case the lock is not worth its price
  const section in;
  timer_record* timer = nullptr;
  {
    const std::lock_guard hold(n.lock);
    if (n.state.load(relaxed) != cancel_state::live || n.has_done.load(relaxed) || !nothing_hangs_on(n)) return false;
    if (cause != nullptr) n.cause = *cause;
    n.state.store(why, release);
    timer = n.timer;
  }
  if (timer != nullptr) stop_deadline(*timer);
  n.told.store(true, release);  // pairs with error_of
  n.settled.store(true, release);
  return true;
}

// One pass of cancel over a subtree, without recursion.
class cancellation {
 public:
  enum class step : std::uint8_t {
    late,     // somebody else had cancelled the node before
    settled,  // nothing hung on it: it is done with
    told,     // nothing but its done channel did: it is settled once those are ready whom that woke
    spreads,  // more did; and so these two are this pass's until they are settled
  };

  step begin(cancel_node& n, cancel_state why, const cancel_cause* cause, bool inherited) noexcept {
    std::unique_lock hold(n.lock);
    if (n.state.load(relaxed) != cancel_state::live) return step::late;
    n.inherits_cause = inherited;
    if (cause != nullptr) n.cause = *cause;
    n.state.store(why, release);
    const bool bare = nothing_hangs_on(n);
    if (!bare) {
      wake_waiters(n);
      take_afters(n);
      n.owes_stop = n.stop != nullptr;
      has_stop_ |= n.owes_stop;
    }
    const bool close = n.has_done.load(relaxed);
    timer_record* const timer = n.timer;
    hold.unlock();
    if (timer != nullptr) stop_deadline(*timer);
    if (close) close_channel(*n.done.core(), ready_, &n.told);  // whoever is woken asks at once
    n.told.store(true, release);                                // pairs with error_of
    if (bare && !close) {
      n.settled.store(true, release);  // nobody is to be made ready, and nobody can hang on it any more
      return step::settled;
    }
    return bare ? step::told : step::spreads;
  }

  void take_up(cancel_node& n) noexcept {
    n.work = nullptr;
    (last_ == nullptr ? first_ : last_->work) = &n;
    last_ = &n;
  }

  void spread(cancel_state why) noexcept {
    for (cancel_node* n = first_; n != nullptr; n = n->work)
      for (bool more = true; more;) {
        queue_of<cancel_node> children;
        more = take_children(*n, children);
        while (cancel_node* child = children.pop_front()) {
          const step s = begin(*child, why, nullptr, true);
          if (s == step::spreads || s == step::told) {
            take_up(*child);
            continue;
          }
          if (s == step::late) await(child->settled);
          detail::release(child);
        }
      }
  }
  void cancel_tasks_below_root() noexcept {
    see_fibers_under_way();
    cancel_below_root(ready_);
  }
  void make_ready() noexcept { ready(ready_); }

  // Ends the ownership of the nodes; `start` stays referenced by the caller.
  cancel_node* settle() noexcept {
    for (cancel_node* n = first_; n != nullptr;) {
      cancel_node* next = n->work;
      n->settled.store(true, release);  // pairs with those who await it
      n = next;
    }
    return first_;
  }
  list_of<after_registration>& afters() noexcept { return afters_; }
  bool has_stop() const noexcept { return has_stop_; }

 private:
  void wake_waiters(cancel_node& n) noexcept {
    for (cancel_link* l = n.waiters.front(); l != nullptr;) {
      cancel_link* next = l->next;
      fiber* f = l->waiter;
      if (next != nullptr) {  // among many, each is far from the caches
        __builtin_prefetch(next->waiter, 1);
        __builtin_prefetch(next->next, 1);
      }
      if (l->one_wait) {
        const std::uint32_t generation = l->generation;
        n.waiters.remove(l);
        l->linked.store(false, release);  // the last touch of the link: its owner may go
        wake(f, generation, wait_word::k_canceled, ready_);
      } else if (l->one_call) {
        cancel_call(f);
      } else {
        cancel_fiber(f, k_bound_canceled, ready_);
      }
      l = next;
    }
  }
  void take_afters(cancel_node& n) noexcept {
    while (after_registration* a = n.afters.pop_front()) {
      a->state.store(after_registration::running, release);
      afters_.push_back(a);  // the context's reference is now the run's
    }
  }
  // Some children, referenced. True if there may be more.
  static bool take_children(cancel_node& n, queue_of<cancel_node>& children) noexcept {
    constexpr std::size_t k_at_once = 16;  // the lock is a short one
    const std::lock_guard hold(n.lock);
    while (children.size() < k_at_once) {
      cancel_node* const child = n.children.pop_front();
      if (child == nullptr) return false;
      child->registered = false;
      if (retain_unless_gone(*child)) children.push_back(child);
    }
    return true;
  }

  fiber_list ready_;
  list_of<after_registration> afters_;
  cancel_node* first_ = nullptr;
  cancel_node* last_ = nullptr;
  bool has_stop_ = false;
};

// In a timer's callback, or elsewhere inside the runtime: no place for user code.
[[gnu::noinline, gnu::section("weft_same_thread")]] bool in_runtime() noexcept {
  const worker* m = this_worker_inline();
  return m != nullptr && m->in.load(relaxed) != 0;
}

void request_stops(cancel_node* n) noexcept {
  for (; n != nullptr; n = n->work)
    if (n->owes_stop) request_stop(*n);
}

void release_all(cancel_node* n, const cancel_node* but) noexcept {
  while (n != nullptr) {
    cancel_node* next = n->work;
    if (n != but) detail::release(n);
    n = next;
  }
}

}  // namespace

void request_stop(cancel_node& n) noexcept {
  const bool fiber = running_fiber() != nullptr;
  if (fiber) lock_os_thread();
  n.stop->request_stop();
  if (fiber) unlock_os_thread();
}

std::error_code error_of(const cancel_node& n) noexcept {
  const cancel_state s = n.state.load(acquire);
  if (s != cancel_state::live) await(n.told);
  switch (s) {
    case cancel_state::live:
      return {};
    case cancel_state::canceled:
      return errc::canceled;
    case cancel_state::deadline_exceeded:
      return errc::deadline_exceeded;
  }
  return {};
}

bool retain_unless_gone(cancel_node& n) noexcept {
  std::uint32_t seen = n.references.load(relaxed);
  while (seen != 0)
    if (n.references.compare_exchange_weak(seen, seen + 1, acq_rel, relaxed)) return true;
  return false;
}

void cancel(cancel_node& start, cancel_state why, const cancel_cause* cause) noexcept {
  if (start.state.load(acquire) != cancel_state::live) return await(start.settled);  // as by most destructors
  if (cancel_bare(start, why, cause)) return;
  cancellation c;
  cancel_node* first = nullptr;
  {
    const section in;
    switch (c.begin(start, why, cause, false)) {
      case cancellation::step::late:
        return await(start.settled);
      case cancellation::step::settled:
        return;
      case cancellation::step::told:
        c.make_ready();
        start.settled.store(true, release);
        return;
      case cancellation::step::spreads:
        c.take_up(start);
        break;
    }
    c.spread(why);
    if (&start == &root()) c.cancel_tasks_below_root();
    c.make_ready();
    first = c.settle();
  }
  if (!c.afters().empty()) run_afters(c.afters());
  if (!c.has_stop() || !in_runtime()) {
    if (c.has_stop()) request_stops(first);
    release_all(first, &start);
    return;
  }
  // A deadline fires with stop callbacks to run: user code, so it goes into a fiber, with the references and one of
  // start's.
  detail::retain(&start);
  start_internal_fiber(
      "weft:deadline",
      [](void* p) {
        auto* nodes = static_cast<cancel_node*>(p);
        request_stops(nodes);
        release_all(nodes, nullptr);
      },
      first);
}

bool link_waiter(cancel_node& n, cancel_link& l) noexcept {
  const std::lock_guard hold(n.lock);
  if (n.state.load(relaxed) != cancel_state::live) return false;
  n.waiters.push_back(&l);
  l.linked.store(true, relaxed);
  return true;
}

void unlink_waiter(cancel_node& n, cancel_link& l) noexcept {
  const std::lock_guard hold(n.lock);
  if (!l.linked.load(relaxed)) return;
  n.waiters.remove(&l);
  l.linked.store(false, relaxed);
}

namespace {
// Bound too late to hear of it: unstarted, or running. What it does just now may have to be cut short:
//     f, in blocking(f)                            a cancel of the parent
//     asks for its context; leaves the parent's
//     list
//                                                  does not find f: no signal
//     finds the parent cancelled; reads, for ever
void flag(fiber* f) noexcept {
  fiber_list nobody;  // it does not wait
  cancel_fiber(f, k_bound_canceled, nobody);
}

// Where a fiber bound to n hangs. Below the root by values alone: on a shard, as the root's children do.
cancel_node* home_of(const fiber* f, const context_node* n) noexcept {
  cancel_node* canceler = canceler_of(n);
  return canceler == &root() ? shard_of_root(f) : canceler;
}
}  // namespace

void hang(fiber* f, cancel_node& n) noexcept {
  f->link.waiter = f;
  f->link.one_wait = false;
  const section in;
  if (!link_waiter(n, f->link)) flag(f);
}

void bind_fiber(fiber* f, context_node* n) noexcept {
  f->bound = n;
  if (n == nullptr) return;
  if (cancel_node* canceler = home_of(f, n)) hang(f, *canceler);
}

void bind_to_new(fiber* f, cancel_node& n, bool canceled) noexcept {
  f->bound = &n;
  if (canceled) {  // and so f is flagged
    n.state.store(cancel_state::canceled, relaxed);
    n.told.store(true, relaxed);
    n.settled.store(true, relaxed);
    return;
  }
  f->link.waiter = f;
  f->link.one_wait = false;
  f->link.linked.store(true, relaxed);
  n.waiters.push_back(&f->link);
  if (join_tree(n)) return;
  n.waiters.remove(&f->link);
  f->link.linked.store(false, relaxed);
  flag(f);
}

context_node* unbind_fiber(fiber* f) noexcept {
  context_node* n = std::exchange(f->bound, nullptr);
  if (n == nullptr) return nullptr;
  if (cancel_node* canceler = home_of(f, n); canceler != nullptr && f->link.linked.load(relaxed)) {
    const section in;
    unlink_waiter(*canceler, f->link);  // passes the lock: a cancel that found the link has left it
  }
  if (f->cancel.load(relaxed) != 0) f->cancel.fetch_and(~k_bound_canceled, relaxed);
  return n;
}

bool derives_from(const cancel_node* n, const cancel_node* above) noexcept {
  for (; n != nullptr; n = n->above)
    if (n == above) return true;
  return false;
}

}  // namespace weft::runtime

namespace weft::detail {

using namespace runtime;

void retain(context_node* n) noexcept { n->references.fetch_add(1, relaxed); }

namespace {

void destroy_cancel_node(cancel_node* n) noexcept {
  n->on_stop.reset();  // first: its callback may be running, and looks at this node
  if (n->above != nullptr) {
    const section in;
    const std::lock_guard hold(n->above->lock);
    if (n->registered) n->above->children.remove(n);
    n->registered = false;
  }
  if (n->timer != nullptr) {
    stop_deadline(*n->timer);
    n->timer->settle();
    give_timer_record(n->timer);
  }
  if (n->has_done.load(acquire)) {
    const section in;
    channel_core* c = n->done.core();
    const std::lock_guard hold(c->lock);
    c->done_of = nullptr;
  }
  delete n;
}

bool is_exception(const cancel_cause& c) noexcept {
  const auto* e = std::get_if<std::exception_ptr>(&c);
  return e != nullptr && *e != nullptr;
}
// Whether something of the user's goes with the node.
bool holds_users(const cancel_node& n) noexcept {
  return is_exception(n.cause) || is_exception(n.deadline_cause) || n.stop != nullptr || n.on_stop != nullptr;
}

void destroy_node(context_node* n) noexcept {
  if (n->kind == node_kind::cancel && !holds_users(*static_cast<cancel_node*>(n)))
    return destroy_cancel_node(static_cast<cancel_node*>(n));
  const shield_scope no_throw;
  switch (n->kind) {
    case node_kind::cancel:
      return destroy_cancel_node(static_cast<cancel_node*>(n));
    case node_kind::value:
      delete static_cast<value_node*>(n);
      return;
    case node_kind::detached:
      delete static_cast<detached_node*>(n);
      return;
    case node_kind::custom:
      return destroy_custom(static_cast<custom_node*>(n));
  }
}

void release_chain(context_node* n) noexcept {
  // A loop, not recursion: chains of a million contexts are legal.
  while (n != nullptr) {
    context_node* parent = n->parent;
    destroy_node(n);
    if (parent == nullptr || parent->references.fetch_sub(1, acq_rel) != 1) return;
    n = parent;
  }
}

void release_in_fiber(context_node* n) noexcept {
  start_internal_fiber("weft:release", [](void* p) { release_chain(static_cast<context_node*>(p)); }, n);
}

}  // namespace

void release(context_node* n) noexcept {
  if (n->references.fetch_sub(1, acq_rel) != 1) return;
  if (!in_runtime()) return release_chain(n);
  release_in_fiber(n);
}

}  // namespace weft::detail

namespace weft::runtime {

void release_elsewhere(context_node* n) noexcept {
  if (running_fiber() == nullptr) return detail::release(n);
  if (n->references.fetch_sub(1, acq_rel) == 1) detail::release_in_fiber(n);
}

}  // namespace weft::runtime
