// weft::group.
//
// `active_` counts places: taken in go(), handed from a member that ends to the first entrant, given back otherwise.
// `members_` counts what wait() waits for; a member leaves it last, for then the group may be gone.
#include "weft/group.hpp"

#include <mutex>
#include <stdexcept>

#include "runtime/sched/park.hpp"
#include "runtime/sync/wait_scope.hpp"

namespace weft {

struct group::entrant {
  waiter wait;
  entrant* next = nullptr;
};

// The closure of a member's fiber.
class group::seat {
 public:
  seat(group& owner, std::unique_ptr<detail::member> member) noexcept : owner_(&owner), member_(std::move(member)) {}
  seat(seat&& o) noexcept : owner_(std::exchange(o.owner_, nullptr)), member_(std::move(o.member_)) {}
  ~seat() {
    if (owner_ == nullptr) return;
    if (!ran_) owner_->fail(nullptr, errc::canceled);  // the runtime ended before its turn came
    member_.reset();
    owner_->leave();
  }
  void operator()() {
    ran_ = true;
    owner_->run(*member_);
  }
  void give_up() noexcept { owner_ = nullptr; }

 private:
  group* owner_;
  std::unique_ptr<detail::member> member_;
  bool ran_ = false;
};

group::group() : ends_with_wait_(false), bound_(with_cancel(background())) {}
group::group(const weft::context& parent) : ends_with_wait_(true), bound_(with_cancel(parent)) {}

group::~group() {
  const shield_scope s;
  bound_.cancel();
  members_.wait();
}

void group::set_limit(int n) {
  std::unique_lock hold(lock_);
  if (active_ != 0) {
    hold.unlock();
    throw std::logic_error("weft::group: set_limit while there are members");
  }
  limit_ = n;
  seat_entrants_locked();
}

bool group::try_enter() noexcept {
  {
    const std::lock_guard hold(lock_);
    if (!has_room_locked() || first_ != nullptr) return false;
    ++active_;
  }
  members_.add(1);
  return true;
}

void group::enter() {
  members_.add(1);  // first: who waits in here is waited for
  try {
    std::unique_lock hold(lock_);
    if (limit_ >= 0) throw_if_canceled_unlocked(hold);
    if (has_room_locked() && first_ == nullptr)
      ++active_;
    else
      wait_for_room(hold);
  } catch (...) {
    members_.done();
    throw;
  }
}

void group::throw_if_canceled_unlocked(std::unique_lock<spin_lock>& hold) {
  const runtime::fiber* self = runtime::running_fiber();
  if (self == nullptr || !runtime::cancel_pending(self)) return;
  hold.unlock();
  runtime::throw_canceled(self);
}

// Returns with a place; the waker has counted it.
void group::wait_for_room(std::unique_lock<spin_lock>& hold) {
  entrant mine;
  (last_ == nullptr ? first_ : last_->next) = &mine;
  last_ = &mine;
  try {
    mine.wait.wait(hold);
  } catch (...) {
    unlink_locked(mine);
    hold.unlock();  // before what unwinding runs
    throw;
  }
}

void group::unlink_locked(entrant& gone) noexcept {
  entrant* before = nullptr;
  for (entrant* at = first_; at != nullptr; before = at, at = at->next) {
    if (at != &gone) continue;
    (before == nullptr ? first_ : before->next) = gone.next;
    if (last_ == &gone) last_ = before;
    return;
  }
}

void group::seat_entrants_locked() noexcept {
  while (first_ != nullptr && has_room_locked()) {
    entrant& next = *first_;
    unlink_locked(next);
    if (next.wait.wake()) ++active_;  // else it was cancelled first
  }
}

void group::leave() noexcept {
  {
    const std::lock_guard hold(lock_);
    --active_;
    seat_entrants_locked();
  }
  members_.done();
}

void group::launch(std::unique_ptr<detail::member> member, std::source_location site) {
  seat s(*this, std::move(member));
  static_assert(sizeof(seat) <= detail::k_inline_closure);  // so that a launch that throws leaves it here
  try {
    detail::launch({.bound = &bound_.ctx}, site, std::move(s));
  } catch (...) {
    s.give_up();
    throw;
  }
}

void group::run(detail::member& member) noexcept {
  try {
    if (const result<void> r = member.run(bound_.ctx); !r) fail(nullptr, r.error());
  } catch (const canceled& c) {
    fail(std::current_exception(), c.code());
  } catch (...) {
    fail(std::current_exception(), {});
  }
}

void group::fail(std::exception_ptr exception, std::error_code code) noexcept {
  failing before = failing::none;
  if (!failing_.compare_exchange_strong(before, failing::being_told, std::memory_order_relaxed)) return;
  exception_ = exception;
  code_ = code;
  failing_.store(failing::told, std::memory_order_release);  // pairs with failure()
  if (exception_ != nullptr)
    bound_.cancel(std::move(exception));
  else
    bound_.cancel(code);
}

result<void> group::wait() {
  members_.wait();
  if (ends_with_wait_) bound_.cancel();
  // Told, if it was begun: a member tells before it ends.
  if (failing_.load(std::memory_order_acquire) != failing::told) return {};
  if (exception_ != nullptr && !code_) std::rethrow_exception(exception_);
  return std::unexpected(code_);
}

}  // namespace weft
