// A bubble: fibers with a clock of their own, which stands still while one of them can go on (weft/synctest.hpp).
//
// Invariants
// 1. A fiber is a member of its maker's bubble from before it counts as live until everything of it is destroyed.
// 2. `awake` counts the members that are not durably blocked, and the driver while it is not parked. Whoever would take
//    it to zero leaves it at one: the count is the driver's from then on, and the driver is woken. So the driver
//    goes on only while nobody else in the bubble can, and needs no lock.
// 3. A wait is counted by its committer, who reads nothing of the fiber after the commit but what it had read before;
//    the end of a wait by whoever makes the fiber ready, before he does. A committer may be late: then the count is too
//    high for a moment, never too low, and the bubble cannot end meanwhile.
// 4. Timers that are set inside are in the bubble's own heap, wherever they were made; only the driver runs them.
#pragma once
#include <cstdint>

#include "runtime/base/clock.hpp"
#include "runtime/event/timers.hpp"
#include "runtime/fiber/fiber.hpp"

namespace weft::runtime {

struct bubble_state {
  static constexpr std::int64_t k_beginning = 946'684'800'000'000'000;  // 2000-01-01 UTC, were it the system's clock

  fiber* driver = nullptr;
  std::uint32_t driver_generation = 0;
  std::uint16_t tag = 0;  // of the channels made inside; never 0
  atomic<std::int64_t> now{k_beginning};
  atomic<std::int64_t> awake{1};
  atomic<std::int64_t> live{0};    // members, without the driver
  atomic<fiber*> waiter{nullptr};  // in synctest::wait
  std::uint32_t waiter_generation = 0;
  atomic<bool> main_ended{false};  // from then on the clock stands
  atomic<bool> ending{false};      // `canceled` is thrown at whoever is left
  atomic<bool> disturbed{false};   // a durable wait was ended from outside
  runtime::timers timers;
};

// How many there are: while there is none, this is all that a clock pays for them.
extern constinit atomic<std::uint32_t> open_bubbles;

// The bubble in which the calling code stands, null outside. Timers' callbacks stand where their heap is.
bubble_state* bubble_here() noexcept;
std::uint16_t bubble_tag_here() noexcept;  // 0 outside
inline bool any_bubble() noexcept { return open_bubbles.load(relaxed) != 0; }

std::int64_t bubble_now() noexcept;
// The time where the caller stands.
inline std::int64_t local_now() noexcept {
  if (any_bubble()) [[unlikely]]
    return bubble_now();
  return now_ns();
}

void join_bubble(fiber*) noexcept;   // one that is being made: that of the caller
void leave_bubble(fiber*) noexcept;  // the current fiber, as the last thing it does

// Of a member: whether the wait that it is about to begin is durable, and then it counts so.
bool waits_durably(fiber* self, wait_reason) noexcept;
void commit_durable_wait(worker*, fiber*) noexcept;
void end_durable_wait(fiber*) noexcept;
// By whoever makes a fiber ready, before that.
inline void count_wake(fiber* f) noexcept {
  if (f->role == bubble_role::asleep) [[unlikely]]
    end_durable_wait(f);
}

// The driver: returns when every member is durably blocked, or has ended.
void await_quiet(bubble_state&) noexcept;

// While it lives the calling worker stands outside, whatever its fiber.
class outside_bubbles {
 public:
  outside_bubbles() noexcept {
    if (any_bubble()) [[unlikely]]
      step_out();
  }
  ~outside_bubbles() {
    if (inner_ != nullptr) [[unlikely]]
      step_in();
  }
  outside_bubbles(const outside_bubbles&) = delete;
  outside_bubbles& operator=(const outside_bubbles&) = delete;

 private:
  void step_out() noexcept;
  void step_in() noexcept;
  fiber* fiber_ = nullptr;
  bubble_state* inner_ = nullptr;
};

// Throws std::logic_error if the caller stands in a bubble: `what` depends on the world outside.
void refuse_in_bubble(const char* what);

}  // namespace weft::runtime
