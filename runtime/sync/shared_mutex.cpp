// weft::shared_mutex.
//
// state: writer; waiters (the list is not empty, or about to be looked at); the number of readers.
// 1. While `waiters` is set nobody goes in but by admit(), which hands the lock over under the list's lock.
// 2. While `waiters` is set the last owner leaves under the list's lock. So a newcomer that has set it under that lock,
//    with an owner there, is not forgotten.
// Rejected: Go's two semaphores with counters, which a cancelled waiter cannot leave.
#include "weft/shared_mutex.hpp"

#include <stdexcept>

#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sync/wait_queue.hpp"
#include "weft/context.hpp"

namespace weft {

using namespace runtime;

namespace {

struct request : wait_node {
  std::uint32_t as = 0;  // what it adds to the state
};

}  // namespace

shared_mutex::~shared_mutex() { const locked_list passed(requests_); }  // unlock may still be waking others

// With the list's lock held: lets in who may go in now. The state has their mark before they can run.
void shared_mutex::admit(locked_list& list) noexcept {
  fiber_list woken;
  const auto let_in = [&](request* r) {
    list.remove(*r);
    const claim_result c = claim(r->waiter, r->generation, 0);
    if (c == claim_result::lost) return;
    fiber* f = r->waiter;
    state_.fetch_add(r->as, acq_rel);
    if (f->word.transferred(c)) woken.push_back(f);
  };
  while (auto* first = static_cast<request*>(requests_.head)) {
    const std::uint32_t seen = state_.load(acquire);
    if ((seen & k_writer) != 0 || (first->as == k_writer && seen >= k_reader)) break;
    if (first->as == k_writer) {
      let_in(first);
      continue;
    }
    for (request *r = first, *next; r != nullptr; r = next) {
      next = static_cast<request*>(r->next);
      if (r->as == k_reader) let_in(r);
    }
  }
  if (list.empty()) state_.fetch_and(~k_waiters, release);
  ready(woken);
}

bool shared_mutex::acquire_slow(const context* ctx, std::uint32_t as) {
  fiber* self = current_fiber();
  wait_scope scope = ctx != nullptr ? wait_scope(ctx) : wait_scope::quiet();
  const std::uint32_t excluding = as == k_writer ? ~k_free : k_writer | k_waiters;
  locked_list list(requests_);
  std::uint32_t seen = state_.load(relaxed);
  bool free = false;
  do {
    free = (seen & excluding) == 0;
  } while (!state_.compare_exchange_weak(seen, free ? seen + as : seen | k_waiters, acq_rel, relaxed));
  if (free) return true;
  request r;
  r.as = as;
  const wait_reason reason = as == k_writer ? wait_reason::shared_mutex_lock : wait_reason::shared_mutex_lock_shared;
  if (list.wait(self, scope, reason, r) != wait_word::k_canceled) return true;
  list.lock();
  admit(list);  // those behind it may have been waiting for it alone
  return false;
}

result<void> shared_mutex::acquire_under(const context& ctx, std::uint32_t as) {
  if (const std::error_code e = ctx.err()) return std::unexpected(e);
  if ((as == k_writer ? try_lock() : try_lock_shared()) || acquire_slow(&ctx, as)) return {};
  return std::unexpected(detail::error_of_context(ctx));
}

result<void> shared_mutex::lock(const context& ctx) { return acquire_under(ctx, k_writer); }
result<void> shared_mutex::lock_shared(const context& ctx) { return acquire_under(ctx, k_reader); }

void shared_mutex::unlock_slow() {
  {
    locked_list list(requests_);
    if ((state_.load(relaxed) & k_writer) != 0) {
      state_.store(k_waiters, release);
      admit(list);
      return;
    }
  }
  throw std::logic_error("weft::shared_mutex: unlock of unlocked shared_mutex");
}

void shared_mutex::unlock_shared_slow() {
  {
    locked_list list(requests_);
    std::uint32_t seen = state_.load(relaxed);
    while (seen >= k_reader)
      if (state_.compare_exchange_weak(seen, seen - k_reader, acq_rel, relaxed)) {
        if (seen == (k_reader | k_waiters)) admit(list);
        return;
      }
  }
  throw std::logic_error("weft::shared_mutex: unlock_shared of one that no reader holds");
}

}  // namespace weft
