#include "weft/detail/completion.hpp"

#include "runtime/sched/park.hpp"
#include "runtime/sync/wait_queue.hpp"

namespace weft::detail {

using namespace runtime;

void completion::complete() noexcept {
  locked_list list(waiters_);
  complete_.store(true, std::memory_order_release);
  list.wake_all(0);
}

bool completion::wait(const context* ctx) {
  fiber* self = current_fiber();
  wait_scope scope(ctx);
  if (scope.canceled(self)) {
    if (ctx == nullptr) throw_canceled(self);
    return false;
  }
  heed_attention();
  std::uint32_t why = 0;
  {
    locked_list list(waiters_);
    if (!complete_.load(std::memory_order_relaxed)) why = list.wait(self, scope, wait_reason::join);
  }
  if (why != wait_word::k_canceled) return true;
  if (ctx == nullptr) throw_canceled(self);
  return false;
}

}  // namespace weft::detail
