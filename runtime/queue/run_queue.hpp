// A processor's own run queue: a ring of fixed size, pushed and popped by its owner, halved by thieves.
//
// Invariants
// 1. Only the owner writes tail_; head_ moves forward by CAS, by the owner's pop and by thieves.
// 2. A slot is written only while it lies outside [head_, tail_) as the owner sees it. A thief may read a slot that is
// being overwritten; then
//    head_ has moved and its CAS fails.
// Source: Go's runqput, runqget and runqgrab (runtime/proc.go), after Arora, Blumofe, Plaxton; the tiny capacity under
// test is tokio's habit.
#pragma once
#include <array>
#include <cstdint>

#include "runtime/base/atomic.hpp"
#include "runtime/base/cache_line.hpp"

namespace weft::runtime {

template <class T, std::uint32_t Capacity = 256>
class run_queue {
  static_assert((Capacity & (Capacity - 1)) == 0);

 public:
  static constexpr std::uint32_t k_capacity = Capacity;

  // Owner only. False when full; the caller then spills half to the global queue.
  bool push(T* x) noexcept {
    const std::uint32_t head = head_.load(acquire);  // pairs with (C): the slot has been read
    const std::uint32_t tail = tail_.load(relaxed);  // only the owner writes tail_
    if (tail - head >= Capacity) return false;
    slot(tail).store(x, relaxed);    // published by (P)
    tail_.store(tail + 1, release);  // (P) pairs with (A)
    return true;
  }

  // Owner only. The oldest, or null. `alone`: there are no thieves.
  T* pop(bool alone = false) noexcept {
    std::uint32_t head = head_.load(acquire);
    for (;;) {
      if (head == tail_.load(relaxed)) return nullptr;
      T* x = slot(head).load(relaxed);
      if (alone) {
        head_.store(head + 1, release);
        return x;
      }
      if (head_.compare_exchange_weak(head, head + 1, release, acquire)) return x;  // (C)
    }
  }

  // Owner of both `out` and the turn to steal. Takes half, rounded up, oldest first; gives how many.
  std::uint32_t grab_half(std::array<T*, Capacity / 2>& out) noexcept {
    for (;;) {
      std::uint32_t head = head_.load(acquire);
      const std::uint32_t tail = tail_.load(acquire);  // (A): the slots below tail are written
      std::uint32_t n = tail - head;
      n -= n / 2;
      if (n == 0) return 0;
      if (n > Capacity / 2) continue;  // head and tail were read at different times
      for (std::uint32_t i = 0; i < n; ++i) out[i] = slot(head + i).load(relaxed);
      if (head_.compare_exchange_weak(head, head + n, acq_rel, relaxed)) return n;  // (C)
    }
  }

  // Owner of *this, which is empty: so there is room, and no thief reads the slots that are written. Moves half of
  // victim's here; gives one of them to run, or null.
  T* steal_from(run_queue& victim) noexcept {
    std::array<T*, Capacity / 2> taken;
    const std::uint32_t n = victim.grab_half(taken);
    if (n == 0) return nullptr;
    const std::uint32_t tail = tail_.load(relaxed);
    for (std::uint32_t i = 0; i + 1 < n; ++i) slot(tail + i).store(taken[i], relaxed);
    tail_.store(tail + n - 1, release);  // (P)
    return taken[n - 1];
  }

  // Anybody; exact for the owner while nobody steals.
  std::uint32_t size() const noexcept {
    const std::uint32_t head = head_.load(acquire);
    const std::uint32_t n = tail_.load(acquire) - head;
    return n > Capacity ? Capacity : n;
  }
  bool empty() const noexcept { return size() == 0; }

 private:
  atomic<T*>& slot(std::uint32_t i) noexcept { return slots_[i & (Capacity - 1)]; }

  alignas(k_cache_line) atomic<std::uint32_t> head_{0};
  alignas(k_cache_line) atomic<std::uint32_t> tail_{0};
  std::array<atomic<T*>, Capacity> slots_{};
};

}  // namespace weft::runtime
