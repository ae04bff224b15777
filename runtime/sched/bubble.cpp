#include "runtime/sched/bubble.hpp"

#include <stdexcept>
#include <string>

#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"

namespace weft::runtime {

constinit atomic<std::uint32_t> open_bubbles{0};

namespace {

// A member, or the driver's own count: one fewer can go on. Nothing of the bubble is touched afterwards, for the driver
// may end it.
void fall_asleep(worker* here, bubble_state& b) noexcept {
  std::int64_t seen = b.awake.load(acquire);  // pairs with the release below: all that the others did is done
  do {
    if (seen != 1) continue;
    fiber* const driver = b.driver;
    wake(here, driver, b.driver_generation, 0);
    return;
  } while (!b.awake.compare_exchange_weak(seen, seen - 1, acq_rel, acquire));
}

}  // namespace

bubble_state* bubble_here() noexcept {
  const fiber* f = running_fiber();
  return f == nullptr ? nullptr : f->bubble.load(relaxed);
}

std::uint16_t bubble_tag_here() noexcept {
  const bubble_state* b = bubble_here();
  return b == nullptr ? std::uint16_t{0} : b->tag;
}

std::int64_t bubble_now() noexcept {
  const bubble_state* b = bubble_here();
  return b == nullptr ? now_ns() : b->now.load(relaxed);
}

void join_bubble(fiber* f) noexcept {
  bubble_state* const b = bubble_here();
  if (b == nullptr) return;
  f->bubble.store(b, relaxed);
  f->role = bubble_role::awake;
  b->live.fetch_add(1, relaxed);
  b->awake.fetch_add(1, relaxed);  // its maker is awake
  if (b->ending.load(relaxed)) f->cancel.store(k_run_ended, relaxed);
}

void leave_bubble(fiber* self) noexcept {
  const section in;
  bubble_state& b = *self->bubble.load(relaxed);
  self->bubble.store(nullptr, relaxed);
  self->role = bubble_role::outside;
  b.live.fetch_sub(1, relaxed);  // published by awake
  fall_asleep(in.here(), b);
}

bool waits_durably(fiber* self, wait_reason reason) noexcept {
  switch (reason) {
    case wait_reason::channel_receive:
    case wait_reason::channel_send:
    case wait_reason::select:
      if (self->waits_on != self->bubble.load(relaxed)->tag) return false;
      break;
    case wait_reason::select_empty:
    case wait_reason::nil_channel:
    case wait_reason::sleep:
    case wait_reason::wait_group:
    case wait_reason::condition_variable:
    case wait_reason::semaphore:
    case wait_reason::join:
    case wait_reason::waiter:
    case wait_reason::synctest_wait:
      break;
    default:
      return false;
  }
  self->role = bubble_role::asleep;
  return true;
}

void commit_durable_wait(worker* m, fiber* f) noexcept {
  bubble_state& b = *f->bubble.load(relaxed);
  if (f->word.commit() != wait_word::commit_result::runs) return fall_asleep(m, b);
  f->role = bubble_role::awake;  // it never slept
  ready(m, f);
}

void end_durable_wait(fiber* f) noexcept {
  bubble_state& b = *f->bubble.load(relaxed);
  f->role = bubble_role::awake;
  b.awake.fetch_add(1, acq_rel);
  if (bubble_here() != &b && sched().phase.load(relaxed) < run_phase::ending) b.disturbed.store(true, relaxed);
}

void await_quiet(bubble_state& b) noexcept {
  section in;
  fiber* const self = b.driver;
  b.driver_generation = begin_wait(self, wait_mode::quiet).generation;
  std::int64_t seen = b.awake.load(acquire);
  do {
    if (seen != 1) continue;
    self->word.abandon();
    return;
  } while (!b.awake.compare_exchange_weak(seen, seen - 1, acq_rel, acquire));
  park(in, self, wait_reason::bubble);
}

void outside_bubbles::step_out() noexcept {
  fiber_ = running_fiber();
  if (fiber_ == nullptr) return;
  inner_ = fiber_->bubble.load(relaxed);
  if (inner_ != nullptr) fiber_->bubble.store(nullptr, relaxed);
}

void outside_bubbles::step_in() noexcept { fiber_->bubble.store(inner_, relaxed); }

void refuse_in_bubble(const char* what) {
  if (!any_bubble() || bubble_here() == nullptr) return;
  throw std::logic_error(std::string("weft::synctest: ") + what +
                         " inside a bubble: its clock cannot know what comes from outside");
}

}  // namespace weft::runtime
