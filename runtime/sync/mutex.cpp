// weft::mutex.
//
// state: locked; waiters (unlock must look into the list); starving (unlock hands the lock to the first waiter).
// Normally unlock frees the lock and wakes the first waiter, which competes with newcomers: a fiber that locks and
// unlocks in a loop keeps its cache. A waiter that has lost for a millisecond asks for hand-off; the mutex leaves that
// mode when the list is empty or the new owner has waited for less. Source: Go's sync.Mutex; but there lock and unlock
// leave the short path while a woken waiter is under way, and here they need not.
//
// A free mutex has state 0, whoever waits. While a woken waiter is under way (woken_, under the list's lock) nobody
// else announces itself, nor is woken: the woken one takes the list's lock first of all, and under it either the mutex,
// with `waiters` for those who are in the list, or it announces itself. Then an unlock looks again.
// tests/model/mutex.pml.
#include "weft/mutex.hpp"

#include <stdexcept>

#include "runtime/base/clock.hpp"
#include "runtime/sched/chaos.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sync/wait_queue.hpp"
#include "weft/context.hpp"

namespace weft {

using namespace runtime;

namespace {
constexpr std::int64_t k_starvation_ns = 1'000'000;
constexpr std::uint32_t k_compete = 0, k_handed = 1;
}  // namespace

// Under the list's lock: takes the mutex, or announces the fiber as a waiter, so that the owner's unlock looks. False
// if it must wait.
bool mutex::take_or_announce(bool others, std::uint32_t starving) noexcept {
  const std::uint32_t announced = (woken_ ? 0 : k_waiters) | starving;
  std::uint32_t seen = state_.load(relaxed), next = 0;
  do {
    next = seen != k_free ? seen | announced : k_locked | (others && !woken_ ? k_waiters : 0);
  } while (next != seen && !state_.compare_exchange_weak(seen, next, acq_rel, relaxed));
  return seen == k_free;
}

bool mutex::acquire_slow(const context* ctx, bool cancelable) {
  fiber* self = current_fiber();
  std::int64_t since = 0;
  bool woken = false;
  for (;;) {
    if (!woken && try_lock()) return true;
    wait_scope scope = cancelable ? wait_scope(ctx) : wait_scope::quiet();
    locked_list list(waiters_);
    if (woken) woken_ = false;
    const std::int64_t now = now_ns();
    if (since == 0) since = now;
    if (take_or_announce(!list.empty(), now - since > k_starvation_ns ? k_starving : 0)) return true;
    const std::uint32_t why = list.wait(self, scope, wait_reason::mutex_lock);
    if (why == k_handed) {
      // Whoever had not waited long ends the mode, or under steady contention it would last for ever: the list is never
      // empty then.
      if (now_ns() - since < k_starvation_ns) state_.fetch_and(~k_starving, relaxed);
      return true;
    }
    if (why == wait_word::k_canceled) return false;
    woken = true;
  }
}

void mutex::lock_slow() { acquire_slow(nullptr, false); }

result<void> mutex::lock(const context& ctx) {
  if (const std::error_code e = ctx.err()) return std::unexpected(e);
  if (try_lock() || acquire_slow(&ctx, true)) return {};
  return std::unexpected(detail::error_of_context(ctx));
}

// The moment others can have the mutex, one of them may destroy it; not before the heir has come, though, who needs the
// list's lock for that. Without an heir the list is left before, and giving the lock up is the last touch.
void mutex::unlock_slow() {
  if (state_.load(relaxed) == k_free) throw std::logic_error("weft::mutex: unlock of unlocked mutex");
  std::uint32_t seen = k_locked;
  do {
    locked_list list(waiters_);
    const bool hand_over = (state_.load(relaxed) & k_starving) != 0;
    const claimed_waiter heir = list.claim_first(hand_over ? k_handed : k_compete);
    if (list.empty()) state_.store(k_locked, relaxed);
    if (heir.waiter != nullptr) {
      // Handed over, it stays locked, and the new owner synchronizes through the wake-up.
      if (!hand_over) {
        woken_ = true;
        state_.store(k_free, release);
      }
      list.unlock();
      return finish(list.here(), heir.waiter, heir.claim);
    }
    seen = k_locked;
  } while (!state_.compare_exchange_strong(seen, k_free, release, relaxed));
}

}  // namespace weft
