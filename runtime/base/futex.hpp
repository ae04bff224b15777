// The kernel's wait-on-a-word, and the one-shot wake-up built on it.
#pragma once
#include <cstdint>

#include "runtime/base/atomic.hpp"

namespace weft::runtime {

// Blocks while `word` holds `expected`, until woken or until `deadline` (nanoseconds of the monotonic clock; k_forever
// for none). May return early: callers look again.
void futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline) noexcept;
void futex_wake(atomic<std::uint32_t>& word, int count = 1) noexcept;

inline constexpr std::int64_t k_forever = INT64_MAX;

// One sleeper, one token: post() before or after wait() lets one wait() through. A second post() before the wait is the
// same token.
class note {
 public:
  // True: the sleeper sleeps elsewhere (begin_elsewhere), and the poster has to wake it there.
  bool post() noexcept {
    // (N) pairs with the acquire in wait: what the poster wrote is seen by the woken.
    const std::uint32_t before = state_.exchange(k_posted, acq_rel);
    if (before == k_sleeping) futex_wake(state_);
    return before == k_elsewhere;
  }
  // True when a token was taken, false at the deadline.
  bool wait(std::int64_t deadline = k_forever) noexcept;
  bool posted() const noexcept { return state_.load(relaxed) == k_posted; }

  // The two halves of a wait in another place than the futex. False: a token was there and is taken; no second half.
  bool begin_elsewhere() noexcept;
  bool end_elsewhere() noexcept { return state_.exchange(k_empty, acquire) == k_posted; }  // pairs with (N)

 private:
  static constexpr std::uint32_t k_empty = 0, k_sleeping = 1, k_posted = 2, k_elsewhere = 3;
  atomic<std::uint32_t> state_{k_empty};
};

}  // namespace weft::runtime
