#include "weft/waiter.hpp"

#include <sched.h>

#include <stdexcept>

#include "arch/arch.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/wait_scope.hpp"
#include "weft/context.hpp"

namespace weft {

using runtime::section;
using runtime::this_worker;

void spin_lock::lock() noexcept {
  section::enter();
  for (unsigned spins = 0; held_.exchange(true, std::memory_order_acquire);) {
    while (held_.load(std::memory_order_relaxed)) {
      if (++spins % 64 == 0)
        ::sched_yield();
      else
        arch::pause();
    }
  }
}

bool spin_lock::try_lock() noexcept {
  section::enter();
  if (!held_.exchange(true, std::memory_order_acquire)) return true;
  section::leave(this_worker());
  return false;
}

void spin_lock::unlock() noexcept {
  held_.store(false, std::memory_order_release);
  section::leave(this_worker());
}

void waiter::require_lock(bool held) {
  if (!held) throw std::logic_error("weft::waiter: wait with a lock that is not held");
}

result<void> waiter::park(const context* ctx, void* lock, void (*unlock)(void*), void (*relock)(void*)) {
  runtime::fiber* self = runtime::current_fiber();
  runtime::wait_scope scope(ctx);
  bool canceled = scope.canceled(self);
  if (!canceled) {
    // From here on wake() finds the wait. The user's unlock runs with the wait prepared, but outside the runtime.
    bool begun;
    {
      const section in;
      begun = scope.begin(self, generation_);
      if (begun) fiber_ = self;
    }
    canceled = !begun;
    if (begun) {
      unlock(lock);
      std::uint32_t why;
      {
        section in;
        why = runtime::park(in, self, runtime::wait_reason::waiter);
        scope.end();
      }
      relock(lock);
      fiber_ = nullptr;
      canceled = why == runtime::wait_word::k_canceled;
    }
  }
  if (!canceled) return {};
  if (ctx == nullptr) runtime::throw_canceled(self);
  return std::unexpected(detail::error_of_context(*ctx));
}

bool waiter::wake() noexcept {
  auto* f = static_cast<runtime::fiber*>(fiber_);
  if (f == nullptr) return false;
  const section in;
  return runtime::wake(in.here(), f, generation_, 0);
}

}  // namespace weft
