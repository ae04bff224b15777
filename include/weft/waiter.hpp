// Park and ready, for synchronisation primitives of one's own.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>

#include "weft/detail/wait_list.hpp"
#include "weft/error.hpp"

namespace weft {

class context;

// For a few instructions without a cancellation point between lock and unlock. The holder is not preempted by weft.
// Meets Lockable.
class WEFT_API spin_lock {
 public:
  constexpr spin_lock() noexcept = default;
  spin_lock(const spin_lock&) = delete;
  spin_lock& operator=(const spin_lock&) = delete;
  void lock() noexcept;
  bool try_lock() noexcept;
  void unlock() noexcept;

 private:
  std::atomic<bool> held_{false};
};

// One wait of the current fiber or foreign thread, on its stack. The protocol: under a lock of yours put a waiter into
// your list, then wait(l). Whoever has what it waits for takes it out of the list under the same lock and calls wake().
//
//   std::unique_lock l(lock_);                      std::unique_lock l(lock_);
//   waiter w;                                       while (!list_.empty()) {
//   list_.push_back(&w);                              waiter* w = list_.front();
//   if (auto r = w.wait(ctx, l); !r) {                list_.pop_front();
//     list_.remove(&w);   // nobody woke it           if (w->wake()) break;    // false: canceled first, try the next
//     return r;                                     }
//   }
//
// The lock is held again when wait returns or throws; so the waiter still exists while wake() runs under that lock.
class WEFT_API waiter {
 public:
  waiter() noexcept = default;
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;

  // Unlocks, parks until wake(), relocks. Cancellation point: throws canceled, relocked; nobody woke it, and nobody
  // will: unlink it.
  template <class L>
  void wait(std::unique_lock<L>& lock) {
    require_lock(lock.owns_lock());
    park(nullptr, &lock, &unlock_it<L>, &relock_it<L>);
  }
  // The same under ctx in place of the bound context, whose end is the error.
  template <class L>
  result<void> wait(const context& ctx, std::unique_lock<L>& lock) {
    require_lock(lock.owns_lock());
    return park(&ctx, &lock, &unlock_it<L>, &relock_it<L>);
  }
  // With that lock held. True if this call ends the wait; false if the wait was cancelled (or has not begun).
  bool wake() noexcept;

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
