// Mutual exclusion between fibers (and foreign threads): Go's sync.Mutex.
#pragma once
#include <atomic>
#include <cstdint>

#include "weft/detail/atomic_of.hpp"
#include "weft/detail/wait_list.hpp"
#include "weft/error.hpp"

namespace weft {

class context;

// A waiter parks; its thread runs other fibers. Not recursive. A newcomer may overtake a woken waiter, but one that has
// waited for a millisecond is handed the lock. Meets Lockable. lock() is no cancellation point. unlock() happens before
// the next lock(). Must outlive its waiters.
class WEFT_API mutex {
 public:
  constexpr mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  void lock() {
    std::uint32_t expected = k_free;
    if (!state_.compare_exchange_strong(expected, k_locked, std::memory_order_acquire, std::memory_order_relaxed))
      lock_slow();
  }
  // The error when ctx is cancelled before the lock was had (also when it was before the call); then the lock is not
  // held.
  [[nodiscard]] result<void> lock(const context& ctx);
  bool try_lock() noexcept {
    std::uint32_t seen = state_.load(std::memory_order_relaxed);
    return seen == k_free &&
           state_.compare_exchange_strong(seen, k_locked, std::memory_order_acquire, std::memory_order_relaxed);
  }
  // Any fiber may unlock what another locked. Of an unlocked mutex: throws std::logic_error.
  void unlock() {
    std::uint32_t expected = k_locked;
    if (!state_.compare_exchange_strong(expected, k_free, std::memory_order_release, std::memory_order_relaxed))
      unlock_slow();
  }

 private:
  static constexpr std::uint32_t k_free = 0, k_locked = 1, k_waiters = 2, k_starving = 4;
  bool take_or_announce(bool others, std::uint32_t starving) noexcept;
  void lock_slow();
  void unlock_slow();
  bool acquire_slow(const context* ctx, bool cancelable);

  detail::atomic_of<std::uint32_t> state_{k_free};
  bool woken_ = false;  // a waiter has been woken and has not come yet; under the list's lock
  detail::wait_list waiters_;
};

}  // namespace weft
