#include "weft/detail/completion.hpp"

#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sync/channel.hpp"
#include "runtime/sync/wait_queue.hpp"

namespace weft::detail {

using namespace runtime;

void completion::complete() noexcept {
  locked_list list(waiters_);
  complete_.store(true, std::memory_order_release);
  if (has_channel_.load(std::memory_order_relaxed)) {
    fiber_list woken;
    close_channel(*channel_.core(), woken);
    ready(woken);
  }
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

const recv_chan<void>& completion::channel() {
  if (has_channel_.load(std::memory_order_acquire)) return channel_;
  chan<void> fresh;
  const locked_list list(waiters_);
  if (has_channel_.load(std::memory_order_relaxed)) return channel_;
  if (complete_.load(std::memory_order_relaxed)) fresh.core()->closed = true;
  channel_ = std::move(fresh);
  has_channel_.store(true, std::memory_order_release);
  return channel_;
}

}  // namespace weft::detail
