#include "runtime/base/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "runtime/base/clock.hpp"

namespace weft::runtime {

[[gnu::section("weft_same_thread")]] void futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected,
                                                     std::int64_t deadline) noexcept {
  const int saved = errno;
  timespec until{};
  timespec* limit = nullptr;
  if (deadline != k_forever) {
    until = to_timespec(deadline);
    limit = &until;
  }
  // FUTEX_WAIT_BITSET takes an absolute time on the monotonic clock.
  ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, limit, nullptr, FUTEX_BITSET_MATCH_ANY);
  errno = saved;
}

[[gnu::section("weft_same_thread")]] void futex_wake(atomic<std::uint32_t>& word, int count) noexcept {
  const int saved = errno;
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
  errno = saved;
}

bool note::wait(std::int64_t deadline) noexcept {
  for (;;) {
    std::uint32_t seen = k_empty;
    if (!state_.compare_exchange_strong(seen, k_sleeping, relaxed) && seen == k_posted) {
      state_.exchange(k_empty, acquire);  // pairs with (N)
      return true;
    }
    futex_wait(state_, k_sleeping, deadline);
    if (deadline != k_forever && now_ns() >= deadline) {
      // Take the token if it came at the last moment; otherwise nobody sleeps any more.
      return state_.exchange(k_empty, acquire) == k_posted;  // pairs with (N)
    }
  }
}

}  // namespace weft::runtime
