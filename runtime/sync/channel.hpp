// A channel's shared state.
//
// Invariants, under the lock
// 1. Receivers wait only while the buffer is empty and no sender waits; senders wait only while the buffer is full.
// 2. Positions count for ever; position i is at slot i mod capacity. sent - received is the number of buffered values.
// 3. No user code runs under the lock. A position is taken under the lock, the move happens outside; each slot has a
// turn number that says
//    whether it is to be filled (2 * lap) or drained (2 * lap + 1) next. Whoever comes early yields until it is its
//    turn. Values that may be copied as bytes are copied under the lock and need no turns.
// 4. A value goes straight to a waiting peer: claim it, unlock, move, make it ready.
// Source of the semantics: Go's runtime/chan.go. Rejected: its moves under the lock (a move constructor may be
// anybody's code), a lock-free buffer (waiters in order and close need the lock all the same).
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/base/hinted.hpp"
#include "runtime/base/spin_lock.hpp"
#include "runtime/event/timer_record.hpp"
#include "runtime/fiber/wait_node.hpp"
#include "weft/detail/channel_core.hpp"

namespace weft::runtime {
struct cancel_node;
struct channel_timer;
}  // namespace weft::runtime

namespace weft::detail {

struct channel_core {
  runtime::atomic<std::uint32_t> references{1};
  runtime::contended_lock
      lock;  // rank: above contexts, timers and the scheduler; several at once in the order of their addresses
  runtime::hinted<bool> closed = false;
  std::uint16_t bubble = 0;  // in which it was made, by its tag
  const element_type* type = nullptr;
  std::size_t capacity = 0;
  std::size_t stride = 0;       // of a slot
  std::byte* slots = nullptr;   // the first
  std::size_t room = 0;         // bytes of all slots
  std::size_t fill_offset = 0;  // into `slots`, where values are bytes: of the next to be filled, and to be drained
  std::size_t drain_offset = 0;
  runtime::hinted<std::uint64_t> sent;
  runtime::hinted<std::uint64_t> received;
  runtime::wait_nodes receivers;
  runtime::wait_nodes senders;
  const runtime::cancel_node* done_of = nullptr;  // under the lock: this is that context's done()
  runtime::channel_timer* timer = nullptr;        // this is a timer's or ticker's channel
  // The slots follow.
};

}  // namespace weft::detail

namespace weft::runtime {

using detail::channel_core;
using detail::outcome;

// The reasons a waker passes: the waiter's tag, plus this when the channel was closed.
inline constexpr std::uint32_t k_closed = 1;

// What an operation that can go ahead still has to do once the lock is gone.
struct transfer {
  wait_node* peer = nullptr;  // claimed; to be made ready
  claim_result claim = claim_result::lost;
  bool drains = false;  // take `drain` from its slot
  bool fills = false;   // put into slot `fill`: the sender's value, or the peer's
  bool closed = false;
  std::uint64_t drain = 0;
  std::uint64_t fill = 0;
};

inline void copy_bytes(void* to, const void* from, std::size_t n) noexcept {
  switch (n) {
    case 0:
      return;
    case 4:
      std::memcpy(to, from, 4);
      return;
    case 8:
      std::memcpy(to, from, 8);
      return;
    case 16:
      std::memcpy(to, from, 16);
      return;
    default:
      std::memcpy(to, from, n);
      return;
  }
}

// With the lock held, where values are bytes: one goes into the next slot, or comes out of it.
inline void fill_bytes(channel_core& c, const void* from) noexcept {
  ++c.sent;
  copy_bytes(c.slots + c.fill_offset, from, c.type->size);
  c.fill_offset += c.stride;
  if (c.fill_offset == c.room) c.fill_offset = 0;
}
inline void drain_bytes(channel_core& c, void* to) noexcept {
  ++c.received;
  copy_bytes(to, c.slots + c.drain_offset, c.type->size);
  c.drain_offset += c.stride;
  if (c.drain_offset == c.room) c.drain_offset = 0;
}

// With so many bytes behind its slots: at slots + room.
channel_core* make_channel_and(const detail::element_type&, std::size_t capacity, std::size_t tail);

// Without the lock: whether the operation seems to be one that could happen now.
inline bool may_send(const channel_core& c) noexcept {
  return c.sent.hint() - c.received.hint() != c.capacity || !c.receivers.seems_empty() || c.closed.hint();
}
inline bool may_receive(const channel_core& c) noexcept {
  return c.sent.hint() != c.received.hint() || !c.senders.seems_empty() || c.closed.hint();
}

// With the lock held: true if the operation happens now. Bytes are copied already.
bool begin_send(channel_core&, void* from, transfer&) noexcept;
bool begin_receive(channel_core&, void* to, transfer&) noexcept;
// What is left when the value was copied as bytes: in the section, the peer is made ready.
inline bool only_bytes(const channel_core& c) noexcept { return c.type->move == nullptr; }
void end_bytes(worker* here, transfer&) noexcept;
// Otherwise, without lock and section: the moves, then the peer is made ready.
void end_send(channel_core&, void* from, transfer&) noexcept;
void end_receive(channel_core&, void* to, transfer&) noexcept;

// Closes; whom it wakes goes into `ready`, where it has not been handed out. False if it was closed already. `told`:
// set once it is closed, before anybody is woken. The caller keeps the channel: it is unlocked in between.
bool close_channel(channel_core&, fiber_list& ready, atomic<bool>* told = nullptr) noexcept;

// Parks for ever: a null channel, a select without cases.
void block_for_ever(const context* ctx, wait_reason);

// timer_channel.cpp
void destroy_timer(channel_timer*) noexcept;

}  // namespace weft::runtime
