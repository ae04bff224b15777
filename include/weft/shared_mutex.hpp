// Many readers or one writer: Go's sync.RWMutex.
#pragma once
#include <atomic>
#include <cstdint>

#include "weft/detail/atomic_of.hpp"
#include "weft/detail/wait_list.hpp"
#include "weft/error.hpp"

namespace weft {

class context;
namespace runtime {
class locked_list;
}

// A waiter parks; its thread runs other fibers. First come, first served: a reader that comes while a writer waits
// waits too, so writers are not starved; when a reader's turn comes, all readers that wait go in with it. So reading
// twice in one fiber may deadlock, as in Go. No upgrade from reading to writing.
//
// Meets SharedLockable. lock() and lock_shared() are no cancellation points; the forms with a context are, and a wait
// that reports cancellation holds nothing. unlock() happens before the next lock() and lock_shared(), unlock_shared()
// before the next lock(). Any fiber may unlock what another locked; unlocking what is not locked that way throws
// std::logic_error. Must outlive its waiters.
class WEFT_API shared_mutex {
 public:
  constexpr shared_mutex() noexcept = default;
  shared_mutex(const shared_mutex&) = delete;
  shared_mutex& operator=(const shared_mutex&) = delete;
  ~shared_mutex();

  void lock() {
    if (!try_lock()) acquire_slow(nullptr, k_writer);
  }
  // The error when ctx is cancelled before the lock was had (also when it was before the call).
  [[nodiscard]] result<void> lock(const context& ctx);
  bool try_lock() noexcept {
    std::uint32_t expected = k_free;
    return state_.compare_exchange_strong(expected, k_writer, std::memory_order_acquire, std::memory_order_relaxed);
  }
  void unlock() {
    std::uint32_t expected = k_writer;
    if (!state_.compare_exchange_strong(expected, k_free, std::memory_order_release, std::memory_order_relaxed))
      unlock_slow();
  }

  void lock_shared() {
    if (!try_lock_shared()) acquire_slow(nullptr, k_reader);
  }
  [[nodiscard]] result<void> lock_shared(const context& ctx);
  // False also while a writer waits.
  bool try_lock_shared() noexcept {
    std::uint32_t seen = state_.load(std::memory_order_relaxed);
    while ((seen & (k_writer | k_waiters)) == 0)
      if (state_.compare_exchange_weak(seen, seen + k_reader, std::memory_order_acquire, std::memory_order_relaxed))
        return true;
    return false;
  }
  void unlock_shared() {
    std::uint32_t seen = state_.load(std::memory_order_relaxed);
    while (seen >= k_reader && seen != (k_reader | k_waiters))
      if (state_.compare_exchange_weak(seen, seen - k_reader, std::memory_order_release, std::memory_order_relaxed))
        return;
    unlock_shared_slow();
  }

 private:
  // k_reader: one reader; the number of readers stands above it.
  static constexpr std::uint32_t k_free = 0, k_writer = 1, k_waiters = 2, k_reader = 4;
  bool acquire_slow(const context* ctx, std::uint32_t as);
  result<void> acquire_under(const context& ctx, std::uint32_t as);
  void admit(runtime::locked_list&) noexcept;
  void unlock_slow();
  void unlock_shared_slow();

  detail::atomic_of<std::uint32_t> state_{k_free};
  detail::wait_list requests_;
};

}  // namespace weft
