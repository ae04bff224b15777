// base/futex.cpp where threads are explored: a sleeper is a coroutine that is not chosen.
#include "runtime/base/futex.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/explore/explorer.hpp"

namespace weft::runtime {

void futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline) noexcept {
  explorer& e = the_explorer();
  e.point("futex wait", __builtin_return_address(0));
  e.fence();
  if (word.load(relaxed) == expected) e.sleep(&word, deadline);
}

void futex_wake(atomic<std::uint32_t>& word, int count) noexcept {
  explorer& e = the_explorer();
  e.point("futex wake", __builtin_return_address(0));
  e.fence();
  e.wake(&word, count);
}

bool note::begin_elsewhere() noexcept { return false; }  // there is no poller

bool note::wait(std::int64_t deadline) noexcept {
  for (;;) {
    std::uint32_t seen = k_empty;
    if (!state_.compare_exchange_strong(seen, k_sleeping, relaxed) && seen == k_posted) {
      state_.exchange(k_empty, acquire);
      return true;
    }
    futex_wait(state_, k_sleeping, deadline);
    if (deadline != k_forever && now_ns() >= deadline) return state_.exchange(k_empty, acquire) == k_posted;
  }
}

}  // namespace weft::runtime

// In place of libc's, for loops that give way until another thread has done its part.
extern "C" int sched_yield() noexcept {
  weft::detail::explore_spin();
  return 0;
}
