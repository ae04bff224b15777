// weft::semaphore.
//
// Under the list's lock: whoever heads the list wants more than is available. So it is looked at again whenever units
// come back, and when a request leaves because it was cancelled: the one behind it may want less.
#include "weft/semaphore.hpp"

#include <stdexcept>

#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sync/channel.hpp"
#include "runtime/sync/wait_queue.hpp"
#include "weft/context.hpp"

namespace weft {

using namespace runtime;

namespace {

struct request : wait_node {
  std::int64_t amount = 0;
};

void require_units(std::int64_t n) {
  if (n < 0) throw std::logic_error("weft::semaphore: negative number of units");
}

// Units are taken only by requests that are claimed: one that was cancelled gets none.
void grant(locked_list& list, detail::wait_list& requests, std::int64_t& available) noexcept {
  fiber_list woken;
  while (auto* first = static_cast<request*>(requests.head)) {
    const std::int64_t amount = first->amount;
    if (amount > available) break;
    list.remove(*first);
    if (wake(first->waiter, first->generation, 0, woken)) available -= amount;
  }
  ready(woken);
}

}  // namespace

semaphore::semaphore(std::int64_t total) : total_(total), available_(total) { require_units(total); }

semaphore::~semaphore() { const locked_list passed(requests_); }  // release() may still be waking others

bool semaphore::take(const context* ctx, std::int64_t n) {
  require_units(n);
  fiber* self = current_fiber();
  wait_scope scope(ctx);
  if (scope.canceled(self)) return false;
  heed_attention();
  if (n > total_) {
    block_for_ever(ctx, wait_reason::semaphore);
    return false;
  }
  locked_list list(requests_);
  if (n <= available_ && list.empty()) {
    available_ -= n;
    return true;
  }
  request r;
  r.amount = n;
  if (list.wait(self, scope, wait_reason::semaphore, r) != wait_word::k_canceled) return true;
  list.lock();
  grant(list, requests_, available_);
  return false;
}

void semaphore::acquire(std::int64_t n) {
  const not_abandoned here;
  if (!take(nullptr, n)) throw_canceled(current_fiber());
}

result<void> semaphore::acquire(const context& ctx, std::int64_t n) {
  if (!take(&ctx, n)) return std::unexpected(detail::error_of_context(ctx));
  return {};
}

bool semaphore::try_acquire(std::int64_t n) {
  require_units(n);
  const locked_list list(requests_);
  if (n > available_ || !list.empty()) return false;
  available_ -= n;
  return true;
}

void semaphore::release(std::int64_t n) {
  require_units(n);
  {
    locked_list list(requests_);
    if (n <= total_ - available_) {
      available_ += n;
      grant(list, requests_, available_);
      return;
    }
  }
  throw std::logic_error("weft::semaphore: more released than was held");
}

}  // namespace weft
