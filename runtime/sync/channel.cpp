// Blocking and non-blocking operations on one channel.
#include "runtime/sync/channel.hpp"

#include <mutex>

#include "runtime/sched/park.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/wait_scope.hpp"
#include "weft/channel.hpp"

namespace weft::runtime {
namespace {

// What tells a send from a receive.
struct sending {
  static bool straight(channel_core& c, const void* v) noexcept {
    if (c.closed || !c.receivers.empty() || c.sent - c.received == c.capacity) return false;
    fill_bytes(c, v);
    return true;
  }
  static bool begin(channel_core& c, void* v, transfer& t) noexcept { return begin_send(c, v, t); }
  static void end(channel_core& c, void* v, transfer& t) noexcept { end_send(c, v, t); }
  static wait_nodes& queue(channel_core& c) noexcept { return c.senders; }
  static constexpr wait_reason reason = wait_reason::channel_send;
};
struct receiving {
  static bool straight(channel_core& c, void* v) noexcept {
    if (c.sent == c.received || !c.senders.empty()) return false;
    drain_bytes(c, v);
    return true;
  }
  static bool begin(channel_core& c, void* v, transfer& t) noexcept { return begin_receive(c, v, t); }
  static void end(channel_core& c, void* v, transfer& t) noexcept { end_receive(c, v, t); }
  static wait_nodes& queue(channel_core& c) noexcept { return c.receivers; }
  static constexpr wait_reason reason = wait_reason::channel_receive;
};

// Queues the fiber, unlocks, parks. Inlined: a frame less to come back through.
template <class Way>
[[gnu::always_inline]] inline outcome wait(channel_core& c, void* value, section& in, fiber* self, wait_scope& scope) {
  wait_node& n = self->wait;
  n.waiter = self;
  n.tag = 0;
  n.payload = value;
  self->waits_on = c.bubble;
  if (!scope.begin(self, n.generation)) {
    c.lock.unlock();
    return outcome::canceled;
  }
  enqueue(Way::queue(c), n);
  c.lock.unlock();
  const std::uint32_t why = park(in, self, Way::reason);
  scope.end();
  if (why != wait_word::k_canceled) return (why & k_closed) != 0 ? outcome::closed : outcome::done;
  const std::lock_guard hold(c.lock);
  leave(Way::queue(c), n);
  return outcome::canceled;
}

template <class Way>
outcome operate(channel_core& c, void* value, fiber* self, wait_scope& scope) {
  transfer t;
  {
    section in;
    c.lock.lock();
    if (!Way::begin(c, value, t)) return wait<Way>(c, value, in, self, scope);
    const bool bytes = only_bytes(c);  // asked now: once the lock is free, a peer may drop the channel
    c.lock.unlock();
    if (t.closed) return outcome::closed;
    if (bytes) {
      end_bytes(in.here(), t);
      return outcome::done;
    }
  }
  Way::end(c, value, t);
  return outcome::done;
}

// Most operations on a buffered channel: bytes go in or come out, nobody waits at the other end, and nobody wants
// anything of this fiber. In one section, so that its worker need be asked for but once.
template <class Way>
bool go_straight(channel_core& c, void* value) noexcept {
  const section in;
  const worker* m = in.here();
  if (m == nullptr || anything_asked(*m)) return false;
  const std::lock_guard hold(c.lock);
  return Way::straight(c, value);
}

// The same of others, with a peer or a wait. False: nothing has happened.
template <class Way>
[[gnu::noinline]] bool operate_on_bytes(channel_core& c, void* value, outcome& o) {
  section in;
  const worker* m = in.here();
  if (m == nullptr || anything_asked(*m)) return false;
  c.lock.lock();
  transfer t;
  if (Way::begin(c, value, t)) {
    c.lock.unlock();
    end_bytes(in.here(), t);
    o = t.closed ? outcome::closed : outcome::done;
    return true;
  }
  wait_scope scope(nullptr);
  o = wait<Way>(c, value, in, m->current.load(relaxed), scope);
  return true;
}

template <class Way>
[[gnu::noinline]] outcome any_operation(channel_core* c, void* value, const context* ctx) {
  fiber* self = current_fiber();
  wait_scope scope(ctx);
  if (scope.canceled(self)) {
    if (ctx == nullptr) throw_canceled(self);
    return outcome::canceled;
  }
  if (c == nullptr) {
    block_for_ever(ctx, wait_reason::nil_channel);
    return outcome::canceled;
  }
  heed_attention();
  const outcome o = operate<Way>(*c, value, self, scope);
  if (o == outcome::canceled && ctx == nullptr) throw_canceled(self);
  return o;
}

template <class Way>
outcome blocking_operation(channel_core* c, void* value, const context* ctx) {
  if (c == nullptr || ctx != nullptr || !only_bytes(*c)) return any_operation<Way>(c, value, ctx);
  if (c->capacity != 0 && go_straight<Way>(*c, value)) return outcome::done;
  const not_abandoned here;
  outcome o;
  if (!operate_on_bytes<Way>(*c, value, o)) return any_operation<Way>(c, value, ctx);
  if (o == outcome::canceled) throw_canceled(current_fiber());
  return o;
}

template <class Way>
outcome try_operation(channel_core* c, void* value) {
  if (c == nullptr) return outcome::would_block;
  transfer t;
  {
    const section in;
    bool bytes;
    {
      const std::lock_guard hold(c->lock);
      if (!Way::begin(*c, value, t)) return outcome::would_block;
      bytes = only_bytes(*c);
    }
    if (t.closed) return outcome::closed;
    if (bytes) {
      end_bytes(in.here(), t);
      return outcome::done;
    }
  }
  Way::end(*c, value, t);
  return outcome::done;
}

}  // namespace

void block_for_ever(const context* ctx, wait_reason reason) {
  fiber* self = current_fiber();
  wait_scope scope(ctx);
  {
    section in;
    std::uint32_t generation;
    if (scope.begin(self, generation)) {
      park(in, self, reason);
      scope.end();
    }
  }
  if (ctx == nullptr) throw_canceled(self);
}

}  // namespace weft::runtime

namespace weft::detail {

outcome channel_send(channel_core* c, void* from, const context* ctx) {
  const outcome o = runtime::blocking_operation<runtime::sending>(c, from, ctx);
  if (o == outcome::closed) throw_closed("send");
  return o;
}

outcome channel_receive(channel_core* c, void* to, const context* ctx) {
  return runtime::blocking_operation<runtime::receiving>(c, to, ctx);
}

outcome channel_try_send(channel_core* c, void* from) {
  const outcome o = runtime::try_operation<runtime::sending>(c, from);
  if (o == outcome::closed) throw_closed("send");
  return o;
}

outcome channel_try_receive(channel_core* c, void* to) noexcept {
  return runtime::try_operation<runtime::receiving>(c, to);
}

}  // namespace weft::detail
