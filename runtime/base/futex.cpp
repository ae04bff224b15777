#include "runtime/base/futex.hpp"

#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "runtime/base/clock.hpp"
#include "weft/detail/config.hpp"

namespace weft::runtime {
namespace {

// ThreadSanitizer keeps a signal back until its thread calls something that it intercepts. The kernel gives one that is
// meant for the process to the thread that called run, say, which may sleep here for ever.
constexpr std::int64_t k_deaf_ns = WEFT_TSAN ? 20'000'000 : k_forever;
void hear_signals() noexcept {
  if (WEFT_TSAN) ::poll(nullptr, 0, 0);
}

}  // namespace

[[gnu::section("weft_same_thread")]] void futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected,
                                                     std::int64_t deadline) noexcept {
  const int saved = errno;
  if (WEFT_TSAN) deadline = std::min(deadline, saturating_add(now_ns(), k_deaf_ns));
  timespec until{};
  timespec* limit = nullptr;
  if (deadline != k_forever) {
    until = to_timespec(deadline);
    limit = &until;
  }
  // FUTEX_WAIT_BITSET takes an absolute time on the monotonic clock.
  ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, limit, nullptr, FUTEX_BITSET_MATCH_ANY);
  hear_signals();
  errno = saved;
}

[[gnu::section("weft_same_thread")]] void futex_wake(atomic<std::uint32_t>& word, int count) noexcept {
  const int saved = errno;
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
  errno = saved;
}

bool note::begin_elsewhere() noexcept {
  std::uint32_t seen = k_empty;
  // release: the poster that finds it also finds the place that it is asked to wake.
  if (state_.compare_exchange_strong(seen, k_elsewhere, release, relaxed)) return true;
  state_.exchange(k_empty, acquire);  // pairs with (N)
  return false;
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
