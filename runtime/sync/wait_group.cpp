#include "weft/wait_group.hpp"

#include <stdexcept>

#include "runtime/base/fatal.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sync/wait_queue.hpp"

namespace weft {

using namespace runtime;

wait_group::~wait_group() {
  // Under the lock: the done() that brought the count to zero may still be waking others.
  const locked_list list(waiters_);
  if (const std::int64_t n = count_.load(std::memory_order_acquire); n != 0)
    fatal("wait_group destroyed while its count is %lld", static_cast<long long>(n));
}

void wait_group::add(int n) {
  // Down to zero under the lock, so that a waiter who sees zero and goes does not take the list away from under us.
  std::int64_t seen = count_.load(std::memory_order_relaxed);
  while (seen + n > 0)
    if (count_.compare_exchange_weak(seen, seen + n, std::memory_order_acq_rel, std::memory_order_relaxed)) return;
  {
    locked_list list(waiters_);
    seen = count_.load(std::memory_order_relaxed);
    while (seen + n >= 0 &&
           !count_.compare_exchange_weak(seen, seen + n, std::memory_order_acq_rel, std::memory_order_relaxed)) {
    }
    if (seen + n == 0) list.wake_all(0);
  }
  if (seen + n < 0) throw std::logic_error("weft::wait_group: negative counter");
}

namespace {

bool wait_for_zero(detail::atomic_of<std::int64_t>& count, detail::wait_list& waiters, const context* ctx) {
  fiber* self = current_fiber();
  wait_scope scope(ctx);
  if (scope.canceled(self)) return false;
  heed_attention();
  locked_list list(waiters);
  if (count.load(std::memory_order_acquire) == 0) return true;
  return list.wait(self, scope, wait_reason::wait_group) != wait_word::k_canceled;
}

}  // namespace

void wait_group::wait() {
  const not_abandoned here;
  if (!wait_for_zero(count_, waiters_, nullptr)) throw_canceled(current_fiber());
}

result<void> wait_group::wait(const context& ctx) {
  if (!wait_for_zero(count_, waiters_, &ctx)) return std::unexpected(detail::error_of_context(ctx));
  return {};
}

}  // namespace weft
