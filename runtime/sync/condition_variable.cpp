// weft::condition_variable.
//
// A sleeper queues, unlocks, and only then begins its wait: unlock is the user's code and may itself park. A
// notification that comes in between finds a sleeper that has not begun, and unlinks it; that is how it hears of it.
#include "weft/condition_variable.hpp"

#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sync/wait_queue.hpp"
#include "weft/fiber.hpp"

namespace weft {

using namespace runtime;

namespace {

struct sleeper : wait_node {
  bool begun = false;
};

// False when there was nobody to notify.
bool notify_first(locked_list& list, fiber_list& woken) noexcept {
  while (wait_node* n = list.pop_front())
    if (!static_cast<sleeper*>(n)->begun || wake(n->waiter, n->generation, 0, woken)) return true;
  return false;
}

// True when notified, false when cancelled; the sleeper is out of the list then.
bool sleep(detail::wait_list& sleepers, sleeper& s, wait_scope& scope) noexcept {
  section in;
  {
    locked_list list(sleepers);
    if (!s.linked) return true;
    if (!scope.begin(s.waiter, s.generation)) {
      list.remove(s);
      return false;
    }
    s.begun = true;
  }
  const std::uint32_t why = park(in, s.waiter, wait_reason::condition_variable);
  scope.end();
  if (why != wait_word::k_canceled) return true;
  locked_list(sleepers).remove(s);
  return false;
}

// Unlocking has thrown. A notification that was meant for this sleeper goes to the next one.
void give_up(detail::wait_list& sleepers, sleeper& s) noexcept {
  locked_list list(sleepers);
  fiber_list woken;
  if (s.linked)
    list.remove(s);
  else
    notify_first(list, woken);
  ready(woken);
}

}  // namespace

condition_variable::~condition_variable() { const locked_list passed(sleepers_); }  // notify may still be in there

void condition_variable::notify_one() noexcept {
  locked_list list(sleepers_);
  fiber_list woken;
  notify_first(list, woken);
  ready(woken);
}

void condition_variable::notify_all() noexcept {
  locked_list list(sleepers_);
  fiber_list woken;
  while (notify_first(list, woken)) {
  }
  ready(woken);
}

result<void> condition_variable::park(const context* ctx, void* lock, void (*unlock)(void*), void (*relock)(void*)) {
  fiber* self = current_fiber();
  wait_scope scope(ctx);
  bool notified = false;
  if (!scope.canceled(self)) {
    sleeper s;
    s.waiter = self;
    {
      locked_list list(sleepers_);
      list.push_back(s);
    }
    try {
      unlock(lock);
    } catch (...) {
      give_up(sleepers_, s);
      throw;
    }
    notified = sleep(sleepers_, s, scope);
    const shield_scope held;
    relock(lock);
  }
  if (notified) return {};
  if (ctx == nullptr) throw_canceled(self);
  return std::unexpected(detail::error_of_context(*ctx));
}

}  // namespace weft
