#include <sched.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <stdexcept>

#include "arch/arch.hpp"
#include "runtime/base/fetch_ahead.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/channel.hpp"
#include "weft/channel.hpp"
#include "weft/fiber.hpp"

namespace weft::runtime {
namespace {

using turn = atomic<std::uint64_t>;

std::size_t turn_room(const detail::element_type& t) noexcept {
  return t.move == nullptr ? 0 : (sizeof(turn) + t.align - 1) / t.align * t.align;
}
std::size_t head_room(const detail::element_type& t) noexcept {
  const std::size_t align = t.align > alignof(turn) ? t.align : alignof(turn);
  return (sizeof(channel_core) + align - 1) / align * align;
}
std::size_t alignment(const detail::element_type& t) noexcept {
  return t.align > alignof(channel_core) ? t.align : alignof(channel_core);
}

// To be freed by std::free. In few steps where the alignment is that of most types; null: there is none.
void* allocate(std::size_t bytes, std::size_t align) noexcept {
  if (align <= alignof(std::max_align_t)) [[likely]]
    return std::malloc(bytes);
  return bytes > SIZE_MAX - align ? nullptr : std::aligned_alloc(align, (bytes + align - 1) / align * align);
}

std::byte* slot_at(channel_core& c, std::uint64_t position) noexcept {
  return c.slots + position % c.capacity * c.stride;
}
turn& turn_of(channel_core& c, std::uint64_t position) noexcept {
  return *reinterpret_cast<turn*>(slot_at(c, position));
}
void* value_of(channel_core& c, std::uint64_t position) noexcept { return slot_at(c, position) + turn_room(*c.type); }

// The one before us in this slot is in the middle of its move.
void await_turn(turn& t, std::uint64_t wanted) noexcept {
  while (t.load(acquire) != wanted) {
    if (running_fiber() != nullptr)
      yield_now();
    else
      ::sched_yield();
  }
}
void fill(channel_core& c, std::uint64_t position, void* from) noexcept {
  const std::uint64_t lap = position / c.capacity;
  turn& t = turn_of(c, position);
  await_turn(t, 2 * lap);
  c.type->move(value_of(c, position), from);
  t.store(2 * lap + 1, release);
}
void drain(channel_core& c, std::uint64_t position, void* to) noexcept {
  const std::uint64_t lap = position / c.capacity;
  turn& t = turn_of(c, position);
  await_turn(t, 2 * lap + 1);
  c.type->move(to, value_of(c, position));
  c.type->destroy(value_of(c, position));
  t.store(2 * lap + 2, release);
}

// The first waiter that can still be claimed.
bool claim_first(wait_nodes& queue, transfer& t) noexcept {
  while (wait_node* n = dequeue(queue)) {
    t.claim = claim(n->waiter, n->generation, n->tag);
    if (t.claim == claim_result::lost) continue;
    t.peer = n;
    return true;
  }
  return false;
}

}  // namespace

bool begin_send(channel_core& c, void* from, transfer& t) noexcept {
  if (c.closed) {
    t.closed = true;
    return true;
  }
  if (!c.receivers.empty() && claim_first(c.receivers, t)) {
    if (only_bytes(c)) copy_bytes(t.peer->payload, from, c.type->size);
    return true;
  }
  if (c.sent - c.received == c.capacity) return false;
  if (only_bytes(c)) {
    fill_bytes(c, from);
    return true;
  }
  t.fill = c.sent++;
  t.fills = true;
  return true;
}

bool begin_receive(channel_core& c, void* to, transfer& t) noexcept {
  if (c.sent != c.received) {
    const bool bytes = only_bytes(c);
    if (bytes) {
      drain_bytes(c, to);
    } else {
      t.drain = c.received++;
      t.drains = true;
    }
    // A sender that waited for room gets the slot just taken.
    if (!c.senders.empty() && claim_first(c.senders, t)) {
      if (bytes) {
        fill_bytes(c, t.peer->payload);
      } else {
        t.fill = c.sent++;
        t.fills = true;
      }
    }
    return true;
  }
  if (!c.senders.empty() && claim_first(c.senders, t)) {
    if (only_bytes(c)) copy_bytes(to, t.peer->payload, c.type->size);
    return true;
  }
  t.closed = c.closed;
  return c.closed;
}

void end_bytes(worker* here, transfer& t) noexcept {
  if (t.peer != nullptr) finish(here, t.peer->waiter, t.claim);
}

void end_send(channel_core& c, void* from, transfer& t) noexcept {
  if (t.fills)
    fill(c, t.fill, from);
  else if (t.peer != nullptr)
    c.type->move(t.peer->payload, from);
  const section in;
  end_bytes(in.here(), t);
}

void end_receive(channel_core& c, void* to, transfer& t) noexcept {
  if (t.drains) drain(c, t.drain, to);
  if (t.fills)
    fill(c, t.fill, t.peer->payload);
  else if (t.peer != nullptr && !t.drains)
    c.type->move(to, t.peer->payload);
  const section in;
  end_bytes(in.here(), t);
}

bool close_channel(channel_core& c, fiber_list& ready_list, atomic<bool>* told) noexcept {
  std::unique_lock hold(c.lock);
  if (c.closed) return false;
  c.closed = true;
  if (told != nullptr) told->store(true, release);  // pairs with error_of
  row_guess nodes, blocks;
  for (wait_nodes* queue : {&c.receivers, &c.senders})
    while (wait_node* n = dequeue(*queue)) {
      nodes.at(n);
      blocks.at(n->waiter);
      wake(n->waiter, n->generation, n->tag | k_closed, ready_list);
      if (!c.senders.empty() || !worth_handing_out(ready_list)) continue;
      hold.unlock();  // nobody can queue any more, and whoever receives finds nothing but the end
      hand_out(ready_list);
      hold.lock();
    }
  return true;
}

channel_core* make_channel_and(const detail::element_type& type, std::size_t capacity, std::size_t tail) {
  const std::size_t align = type.align > alignof(turn) ? type.align : alignof(turn);
  const std::size_t stride =
      type.size == 0 && type.move == nullptr ? 0 : (turn_room(type) + type.size + align - 1) / align * align;
  std::size_t room = 0;
  if (__builtin_mul_overflow(stride, capacity, &room) || __builtin_add_overflow(room, head_room(type) + tail, &room))
    throw std::bad_alloc();
  void* const memory = allocate(room, alignment(type));
  if (memory == nullptr) throw std::bad_alloc();
  auto* c = ::new (memory) channel_core;
  if (any_bubble()) [[unlikely]]
    c->bubble = bubble_tag_here();
  c->type = &type;
  c->capacity = capacity;
  c->stride = stride;
  c->slots = reinterpret_cast<std::byte*>(c) + head_room(type);
  c->room = stride * capacity;
  if (type.move != nullptr)
    for (std::size_t i = 0; i < capacity; ++i) ::new (static_cast<void*>(slot_at(*c, i))) turn(0);
  return c;
}

}  // namespace weft::runtime

namespace weft::detail {

using namespace runtime;

channel_core* make_channel(const element_type& type, std::size_t capacity) {
  return make_channel_and(type, capacity, 0);
}

void retain(channel_core* c) noexcept { c->references.fetch_add(1, relaxed); }

void release(channel_core* c) noexcept {
  if (c->references.fetch_sub(1, acq_rel) != 1) return;
  if (c->timer != nullptr) destroy_timer(c->timer);
  if (c->type->destroy != nullptr && c->received != c->sent) {
    const shield_scope no_throw;
    for (; c->received != c->sent; ++c->received) c->type->destroy(value_of(*c, c->received));
  }
  c->~channel_core();
  std::free(c);
}

std::size_t checked_capacity(std::intmax_t capacity) {
  if (capacity < 0) throw std::logic_error("weft::chan: negative capacity " + std::to_string(capacity));
  return static_cast<std::size_t>(capacity);
}

std::size_t channel_length(const channel_core* c) noexcept {
  if (c == nullptr || c->timer != nullptr) return 0;  // a timer's channel looks unbuffered, as in Go 1.23
  const section in;
  auto& lock = const_cast<channel_core*>(c)->lock;
  const std::lock_guard hold(lock);
  return static_cast<std::size_t>(c->sent - c->received);
}

std::size_t channel_capacity(const channel_core* c) noexcept {
  return c == nullptr || c->timer != nullptr ? 0 : c->capacity;
}

void channel_close(channel_core* c) {
  if (c == nullptr) throw std::logic_error("weft: close of nil channel");
  // Whoever is woken may drop the last handle, the one that we were called through.
  const channel_reference kept = share(c);
  fiber_list woken;
  bool closed;
  {
    const section in;
    closed = close_channel(*c, woken);
    ready(woken);
  }
  if (!closed) throw std::logic_error("weft: close of closed channel");
}

void throw_closed(const char* operation) {
  throw std::logic_error(std::string("weft: ") + operation + " on closed channel");
}

}  // namespace weft::detail
