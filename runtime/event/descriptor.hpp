// What the poller knows of one descriptor: who waits for it to become readable, and who for it to become writable.
//
// Invariants, under the descriptor's lock
// 1. Every event is counted, whether it wakes somebody or not. Who would wait names the count that it saw before its
//    attempt, and does not wait if it is another by now. So an event between an attempt that would have blocked and the
//    wait after it ends that wait at once, also if it woke others: they may leave some of what it told of.
// 2. A waker unlinks a node before it claims; a waiter that was woken by somebody else leaves under the lock. So nobody
//    looks at a node that has gone.
// 3. The memory is type-stable. `sequence` moves on when the block serves another descriptor; an event that was under
//    way for the one before names the old one and is dropped.
//
// An event wakes every waiter of its direction: each tries again, and who comes too late waits again. One alone would
// not do, for it may be cancelled before it tries, and an edge comes but once.
#pragma once
#include <cstdint>

#include "runtime/base/cache_line.hpp"
#include "runtime/base/list.hpp"
#include "runtime/base/spin_lock.hpp"
#include "runtime/event/timer_record.hpp"

namespace weft::runtime {

enum class direction : std::uint8_t { read, write };

// What a waker tells the waiter.
inline constexpr std::uint32_t k_descriptor_ready = 0, k_descriptor_closed = 1, k_look_again = 2;

// One wait, on the waiter's stack.
struct poll_wait {
  poll_wait* next = nullptr;
  poll_wait* prev = nullptr;
  fiber* waiter = nullptr;
  std::uint32_t generation = 0;
  bool linked = false;
};

struct poll_side {
  atomic<std::uint64_t> events{1};  // written under the lock, read by anybody
  list_of<poll_wait> waiters;

  void enqueue(poll_wait&) noexcept;
  void leave(poll_wait&) noexcept;  // if it is still in
  // Wakes all; those to be made ready go into `into`.
  void wake(std::uint32_t why, fiber_list& into) noexcept;
  void tell(fiber_list& into) noexcept;  // an event: counts it and wakes all
};

struct alignas(k_cache_line) descriptor {
  spin_lock lock;  // rank: as a channel's, above contexts
  // The peer will send no more, or an error is there: written under the lock, read by anybody.
  atomic<bool> ended{false};
  int fd = -1;
  std::uint32_t sequence = 0;
  // Called when it has become readable, if set, and by poller::wake_all; before it is watched, for good. Nobody waits
  // for such a one. On the scheduler's stack, as a timer's callback, and not under the lock.
  void (*on_readable)() noexcept = nullptr;
  poll_side read, write;

  poll_side& side(direction d) noexcept { return d == direction::read ? read : write; }
};

}  // namespace weft::runtime
