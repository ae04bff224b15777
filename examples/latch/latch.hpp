#pragma once
// latch: a count that goes down; who waits, waits until it is zero. Then it is open for good.
//
// The worked example of a primitive of one's own, from public parts alone: weft::spin_lock and weft::waiter, whose
// header states the rules that are applied here. To make another, answer the same five questions:
//
// 1. What is waited for? `count_ == 0`. It and the list of those who wait are guarded by one spin_lock. No atomic count
//    for a quicker look: everybody who has waited has had the lock, so whoever comes back may destroy the latch
//    (see 5).
// 2. Who waits, and where? A `place` on the waiter's own stack: a weft::waiter and its links. It links itself where it
// is
//    made and unlinks itself where the scope ends, by return or by exception; either way the lock is held.
// 3. Whom does a change wake? Everybody, once, since the latch stays open. Nothing is handed over, so the answer of
//    wake() does not matter: false is a waiter that was cancelled at the same time and reports that. A semaphore would
//    wake the first that answers true, and take it off the list there, to wake nobody twice.
// 4. What does a cancel do? Nothing more than leave: a place holds no share of anything. weft::waiter throws, or gives
//    the error of the context, once the lock is held again. A mutex of one's own might have to pass on what it holds.
// 5. When may it be destroyed? When all calls of wait() have returned. The last count_down() may still be inside then,
//    but past its unlock, after which it touches nothing of the latch.

#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <weft/weft.hpp>

namespace example {

// Any thread may call any of it. What comes before a count_down() happens before the return of the waits that it ends.
class latch {
 public:
  explicit latch(std::int64_t count) : count_(count) {
    if (count < 0) throw std::logic_error("latch: negative count");
  }
  latch(const latch&) = delete;
  latch& operator=(const latch&) = delete;

  // Never blocks. A count below zero, or a negative n, throws std::logic_error and changes nothing.
  void count_down(std::int64_t n = 1) {
    if (!take(n)) throw std::logic_error("latch: counted below zero");
  }

  bool is_open() const noexcept {
    const std::lock_guard hold(lock_);
    return count_ == 0;
  }

  // Blocks until the count is zero. Cancellation point, also when it is: throws canceled.
  void wait() {
    weft::waiter::check_canceled();
    std::unique_lock lock(lock_);
    if (count_ == 0) return;
    place mine(*this);
    mine.waiter.wait(lock);
  }
  // Under ctx in place of the bound context, whose end is the error.
  weft::result<void> wait(const weft::context& ctx) {
    if (auto r = weft::waiter::check_canceled(ctx); !r) return r;
    std::unique_lock lock(lock_);
    if (count_ == 0) return {};
    place mine(*this);
    return mine.waiter.wait(ctx, lock);
  }

 private:
  // In the list while it exists. Made and destroyed with the lock held: declare it after the lock.
  struct place {
    explicit place(latch& l) noexcept : of(l), previous(l.last_) {
      (previous != nullptr ? previous->next : of.first_) = this;
      of.last_ = this;
    }
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() {
      (previous != nullptr ? previous->next : of.first_) = next;
      (next != nullptr ? next->previous : of.last_) = previous;
    }

    weft::waiter waiter;
    latch& of;
    place* next = nullptr;
    place* previous;
  };

  // Apart from count_down so that nothing is thrown under the lock.
  bool take(std::int64_t n) noexcept {
    const std::lock_guard hold(lock_);
    if (n < 0 || n > count_) return false;
    count_ -= n;
    if (count_ == 0)
      for (place* p = first_; p != nullptr; p = p->next) p->waiter.wake();
    return true;
  }

  mutable weft::spin_lock lock_;  // guards all below
  std::int64_t count_;
  place* first_ = nullptr;
  place* last_ = nullptr;
};

}  // namespace example
