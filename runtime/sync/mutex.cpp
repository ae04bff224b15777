// weft::mutex.
//
// state: locked; waiters (somebody may be in the list, so unlock must look); starving (unlock hands the lock to the
// first waiter); woken (a waiter that was woken has not yet come to compete: unlock wakes no other). Normally unlock
// frees the lock and wakes the first waiter, which competes with newcomers: a fiber that locks and unlocks in a loop
// keeps its cache. A waiter that has lost for a millisecond asks for hand-off; the mutex leaves that mode when the list
// is empty or the new owner has waited for less. Source: Go's sync.Mutex.
//
// Nobody is left waiting for want of a wake-up that was spared: the woken one takes `woken` back in the step in which
// it takes the lock, and then its own unlock looks; or in which it announces itself as a waiter, and then the owner's
// does, who has not freed the lock before.
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

// With `mine`, k_woken if it is this fiber's, taken back.
bool mutex::take(std::uint32_t mine) noexcept {
  std::uint32_t seen = state_.load(relaxed);
  while ((seen & k_locked) == 0)
    if (state_.compare_exchange_weak(seen, (seen | k_locked) & ~mine, acquire, relaxed)) return true;
  return false;
}

bool mutex::acquire_slow(const context* ctx, bool cancelable) {
  fiber* self = current_fiber();
  std::int64_t since = 0;
  std::uint32_t mine = 0;
  for (;;) {
    if (take(mine)) return true;
    wait_scope scope = cancelable ? wait_scope(ctx) : wait_scope::quiet();
    locked_list list(waiters_);
    // Under the list's lock: announce the waiter, unless the mutex was freed in this moment. Unlock reads `waiters` and
    // then takes this lock.
    std::uint32_t seen = state_.load(relaxed);
    const std::int64_t now = now_ns();
    if (since == 0) since = now;
    const std::uint32_t starve = now - since > k_starvation_ns ? k_starving : 0;
    bool locked = true;
    do {
      locked = (seen & k_locked) != 0;
    } while (!state_.compare_exchange_weak(seen, (locked ? seen | k_waiters | starve : seen | k_locked) & ~mine,
                                           acq_rel, relaxed));
    if (!locked) return true;
    const std::uint32_t why = list.wait(self, scope, wait_reason::mutex_lock);
    if (why == k_handed) {
      // Whoever had not waited long ends the mode, or under steady contention it would last for ever: the list is never
      // empty then.
      if (now_ns() - since < k_starvation_ns) state_.fetch_and(~k_starving, relaxed);
      return true;
    }
    if (why == wait_word::k_canceled) return false;
    mine = k_woken;
  }
}

void mutex::lock_slow() { acquire_slow(nullptr, false); }

result<void> mutex::lock(const context& ctx) {
  if (const std::error_code e = ctx.err()) return std::unexpected(e);
  if (try_lock() || acquire_slow(&ctx, true)) return {};
  return std::unexpected(detail::error_of_context(ctx));
}

// The moment others can have the mutex, one of them may destroy it. So the list is left before, and giving the lock up
// is the last touch.
void mutex::unlock_slow() {
  std::uint32_t seen = state_.load(relaxed);
  if ((seen & k_locked) == 0) throw std::logic_error("weft::mutex: unlock of unlocked mutex");
  for (;;) {
    while ((seen & (k_woken | k_starving)) == k_woken)
      if (state_.compare_exchange_weak(seen, seen & ~k_locked, release, relaxed)) return;
    locked_list list(waiters_);
    const bool hand_over = (state_.load(relaxed) & k_starving) != 0;
    const claimed_waiter heir = list.claim_first(hand_over ? k_handed : k_compete);
    if (list.empty()) state_.fetch_and(~(k_waiters | k_starving), relaxed);
    if (heir.waiter != nullptr && !hand_over) state_.fetch_or(k_woken, relaxed);
    list.unlock();
    if (heir.waiter != nullptr) {
      // Handed over, it stays locked, and the new owner synchronizes through the wake-up. Otherwise whoever queued in
      // this moment has set k_waiters; the heir, which tries once more, sees to it.
      if (!hand_over) state_.fetch_and(~k_locked, release);
      finish(list.here(), heir.waiter, heir.claim);
      return;
    }
    seen = k_locked;
    if (state_.compare_exchange_strong(seen, k_free, release, relaxed)) return;
  }
}

}  // namespace weft
