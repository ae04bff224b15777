// Waiting for a condition that a lock guards: Go's sync.Cond.
#pragma once
#include <concepts>

#include "weft/detail/cancellation.hpp"
#include "weft/detail/wait_list.hpp"

namespace weft {

// wait() unlocks, parks until notified, and relocks before it returns or throws, whichever way it ends. L is any lock:
// mutex, std::unique_lock of one, shared_mutex, spin_lock, a lock of one's own. There are no spurious wake-ups, but
// others may change the condition before the woken one has the lock again: use the forms with a predicate.
//
// wait() is a cancellation point, also where the predicate holds already; relocking is none. Waiters are woken first
// come, first served. A notification goes to a waiter that was not cancelled, if there is one, and one that was
// notified does not report cancellation. Any thread may notify, with or without the lock. Must outlive the calls of
// wait().
class WEFT_API condition_variable {
 public:
  constexpr condition_variable() noexcept = default;
  condition_variable(const condition_variable&) = delete;
  condition_variable& operator=(const condition_variable&) = delete;
  ~condition_variable();

  void notify_one() noexcept;
  void notify_all() noexcept;

  // With the lock held. Throws canceled.
  template <class L>
  void wait(L& lock) {
    static_cast<void>(park(nullptr, &lock, &unlock_it<L>, &relock_it<L>));
  }
  // Until holds(), which is called with the lock held.
  template <class L, std::predicate P>
  void wait(L& lock, P holds) {
    detail::check_canceled();
    while (!holds()) wait(lock);
  }
  // Under ctx in place of the bound context, whose end is the error.
  template <class L>
  result<void> wait(const context& ctx, L& lock) {
    return park(&ctx, &lock, &unlock_it<L>, &relock_it<L>);
  }
  template <class L, std::predicate P>
  result<void> wait(const context& ctx, L& lock, P holds) {
    if (result<void> r = detail::check_canceled(ctx); !r) return r;
    while (!holds())
      if (result<void> r = wait(ctx, lock); !r) return r;
    return {};
  }

 private:
  template <class L>
  static void unlock_it(void* l) {
    static_cast<L*>(l)->unlock();
  }
  template <class L>
  static void relock_it(void* l) {
    static_cast<L*>(l)->lock();
  }
  result<void> park(const context*, void* lock, void (*unlock)(void*), void (*relock)(void*));

  detail::wait_list sleepers_;
};

}  // namespace weft
