// Park and ready, for synchronisation primitives of one's own.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>

#include "weft/detail/atomic_of.hpp"
#include "weft/detail/cancellation.hpp"
#include "weft/error.hpp"

namespace weft {

class context;

// For a few instructions: no cancellation point, no call that may park, no allocation between lock and unlock. A thread
// that finds it taken spins; the holder is not preempted by weft. Any thread; unlock() happens before the next lock().
// unlock() touches the lock no more once it is free: whoever gets it next may destroy it. Meets Lockable.
class WEFT_API spin_lock {
 public:
  constexpr spin_lock() noexcept = default;
  spin_lock(const spin_lock&) = delete;
  spin_lock& operator=(const spin_lock&) = delete;
  void lock() noexcept;
  bool try_lock() noexcept;
  void unlock() noexcept;

 private:
  detail::atomic_of<bool> held_{false};
};

// One wait of the current fiber or foreign thread, on its stack. With it a primitive of one's own has what weft's have:
// it parks, is cancelled, and serves threads that run no fiber. The protocol, for a lock and a list of yours:
//
//   waiter::check_canceled();                       std::unique_lock l(lock_);
//   std::unique_lock l(lock_);                      … what is waited for comes true …
//   if (… there is no need to wait …) return;       while (!list_.empty()) {
//   waiter w;                                         waiter* w = list_.front();
//   list_.push_back(&w);                              list_.pop_front();
//   try {                                             if (w->wake()) break;    // false: canceled first, try the next
//     w.wait(l);                                    }
//   } catch (...) {
//     list_.remove(&w);   // nobody woke it
//     throw;
//   }
//
// 1. One lock guards the list and what is waited for. Deciding to wait, entering the list and wait() happen in one
//    hold of it, so that nobody can wake in between and be missed.
// 2. wake() is called with that lock held, on a waiter found in the list. wait() takes the lock again before it ends,
//    however it ends: so the waiter exists while wake() runs, and an object that its last waiter destroys is not in
//    use by whoever woke it, if they touch nothing of it after the unlock.
// 3. Where one waiter is to get something, it gets it only if wake() said true, before the unlock. One that said false
//    reports cancellation and must come out with nothing.
// 4. A waiter leaves the list before it dies: taken out by whoever wakes it, or unlinked by itself, under the lock,
//    after a wait that failed or after any.
//
// The list had better be one that allocates nothing: let the node on the waiter's stack hold the waiter and the links.
// The lock may be a weft::mutex as well, where more than a few instructions need it. examples/latch is a whole
// primitive, explained.
//
// wait() is a cancellation point. What happened before wake() happens before the end of wait(), through the lock. A
// waiter may wait again.
class WEFT_API waiter {
 public:
  waiter() noexcept = default;
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;

  // Unlocks, parks until wake(), relocks. Cancellation point: throws canceled, relocked; nobody woke it, and nobody
  // will. Throws std::logic_error for a lock that is not held.
  template <class L>
  void wait(std::unique_lock<L>& lock) {
    require_lock(lock.owns_lock());
    static_cast<void>(park(nullptr, &lock, &unlock_it<L>, &relock_it<L>));
  }
  // The same under ctx in place of the bound context, whose end is the error.
  template <class L>
  result<void> wait(const context& ctx, std::unique_lock<L>& lock) {
    require_lock(lock.owns_lock());
    return park(&ctx, &lock, &unlock_it<L>, &relock_it<L>);
  }
  // With that lock held. True if this call ends the wait; false if the wait was cancelled (or has not begun). Never
  // blocks; any thread.
  bool wake() noexcept;

  // What a call that may wait does first, so that it is a cancellation point where it need not wait, too. As wait():
  // throws canceled when the bound context is cancelled (never on a foreign thread), or gives the error of ctx.
  static void check_canceled() { detail::check_canceled(); }
  static result<void> check_canceled(const context& ctx) { return detail::check_canceled(ctx); }

 private:
  template <class L>
  static void unlock_it(void* l) {
    static_cast<std::unique_lock<L>*>(l)->unlock();
  }
  template <class L>
  static void relock_it(void* l) {
    static_cast<std::unique_lock<L>*>(l)->lock();
  }
  static void require_lock(bool held);  // throws std::logic_error
  result<void> park(const context*, void* lock, void (*unlock)(void*), void (*relock)(void*));

  void* fiber_ = nullptr;
  std::uint32_t generation_ = 0;
};

}  // namespace weft
