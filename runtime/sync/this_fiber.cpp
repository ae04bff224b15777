// What a fiber may say of itself, and the scopes it may open.
#include <algorithm>
#include <stdexcept>
#include <string>

#include "runtime/sched/blocked.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/context_node.hpp"
#include "runtime/sync/own_context.hpp"
#include "runtime/sync/value_nodes.hpp"
#include "runtime/sync/wait_scope.hpp"
#include "weft/fiber.hpp"

namespace weft {

using namespace runtime;

namespace {

fiber* require_fiber(const char* what) {
  fiber* f = running_fiber();
  if (f == nullptr) throw std::logic_error(std::string("weft::this_fiber::") + what + ": this thread runs no fiber");
  return f;
}

// True when the time has come, false when the context ended the sleep first.
bool sleep(std::int64_t until, const context* ctx) {
  fiber* self = current_fiber();
  wait_scope scope(ctx);
  if (scope.canceled(self)) return false;
  if (until <= local_now()) return true;
  section in;
  std::uint32_t generation;
  if (!scope.begin(self, generation)) return false;
  std::uint32_t why;
  if (self->is_foreign()) {
    why = park_foreign_until(self, until);
  } else {
    const unsigned home = insert_timer(until, self, generation);
    why = park(in, self, wait_reason::sleep);
    if (why != wait_word::k_timeout) note_stale_timer(home);
  }
  scope.end();
  return why == wait_word::k_timeout;
}

std::int64_t after_now(timespan d) noexcept { return saturating_add(local_now(), std::max<std::int64_t>(d.ns, 0)); }

}  // namespace

clock::time_point clock::now() noexcept { return time_point(duration(local_now())); }

namespace this_fiber {

void yield() {
  const not_abandoned here;
  fiber* self = require_fiber("yield");
  throw_if_canceled(self);
  yield_now();
  throw_if_canceled(self);
}

void poll() {
  const not_abandoned here;
  fiber* self = require_fiber("poll");
  throw_if_canceled(self);
  heed_attention();
  throw_if_canceled(self);
}

void sleep_for(timespan d) {
  const not_abandoned here;
  if (!sleep(after_now(d), nullptr)) throw_canceled(current_fiber());
}

void sleep_until(clock::time_point t) {
  const not_abandoned here;
  if (!sleep(t.time_since_epoch().count(), nullptr)) throw_canceled(current_fiber());
}

weft::context context() { return weft::context::adopt(shared(bound_node(require_fiber("context")))); }

fiber_id id() { return static_cast<fiber_id>(require_fiber("id")->id.load(relaxed)); }
void set_name(std::string_view name) { require_fiber("set_name")->set_label(name); }

}  // namespace this_fiber

result<void> sleep_for(const context& ctx, timespan d) {
  if (!sleep(after_now(d), &ctx)) return std::unexpected(detail::error_of_context(ctx));
  return {};
}

result<void> sleep_until(const context& ctx, clock::time_point t) {
  if (!sleep(t.time_since_epoch().count(), &ctx)) return std::unexpected(detail::error_of_context(ctx));
  return {};
}

shield_scope::shield_scope() noexcept {
  if (fiber* f = running_fiber()) ++f->shields;
}
shield_scope::~shield_scope() {
  if (fiber* f = running_fiber()) --f->shields;
}

void lock_os_thread() {
  fiber* self = running_fiber();
  if (self == nullptr) throw std::logic_error("weft::lock_os_thread: this thread runs no fiber");
  const section in;
  if (self->thread_locks++ != 0) return;
  self->set_home(in.here());
  in.here()->locked = self;
}

void unlock_os_thread() {
  fiber* self = running_fiber();
  if (self == nullptr) throw std::logic_error("weft::unlock_os_thread: this thread runs no fiber");
  if (self->thread_locks == 0) throw std::logic_error("weft::unlock_os_thread: the fiber has not locked its thread");
  const section in;
  if (--self->thread_locks != 0) return;
  self->set_home(nullptr);
  in.here()->locked = nullptr;
}

// In a section: the monitor either has taken the processor before, and it is waited for another, or sees the scope.
no_preempt::no_preempt() noexcept {
  section in;
  fiber* const self = in.here() == nullptr ? nullptr : in.here()->current.load(relaxed);
  if (self == nullptr) return;
  if (in.here()->detached.load(relaxed)) require_processor(in, self);
  self->no_preempts.store(static_cast<std::uint16_t>(self->no_preempts.load(relaxed) + 1), relaxed);
}
no_preempt::~no_preempt() {
  if (fiber* f = running_fiber())
    f->no_preempts.store(static_cast<std::uint16_t>(f->no_preempts.load(relaxed) - 1), relaxed);
}

bind_scope::bind_scope(context ctx) : outer_(rebind(require_fiber("bind_scope"), ctx)) {}

bind_scope::bind_scope(cancelable&& c) : bind_scope(c.ctx) { cancel_ = std::move(c.cancel); }

bind_scope::~bind_scope() { rebind(running_fiber(), outer_); }

}  // namespace weft
