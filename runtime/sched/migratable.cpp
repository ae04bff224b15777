#include "runtime/sched/migratable.hpp"

#include <cerrno>

#include "arch/arch.hpp"
#include "runtime/event/own_code.hpp"
#include "runtime/sched/preempt.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sched/switch.hpp"
#include "runtime/stack/stack.hpp"

namespace weft::runtime {
namespace {

// What a switch needs of the stack, at most: new stacks are mapped and due timers' callbacks run on it, symbols are
// bound at their first use.
constexpr std::size_t k_room = WEFT_ASAN ? std::size_t{24} << 10 : std::size_t{12} << 10;

// errno of the thread that this is called on.
[[gnu::noinline]] int thread_error() noexcept {
  asm volatile("" ::: "memory");
  return errno;
}
[[gnu::noinline]] void set_thread_error(int error) noexcept {
  asm volatile("" ::: "memory");
  errno = error;
}

// What the interrupted code seems to have called, in the section that the handler entered.
void leave_and_come_back() noexcept {
  worker* m = this_worker();
  fiber* self = m->current.load(relaxed);
  const int error = thread_error();
  m = switch_away(m, self, leave_action::preempted);
  begin_turn_again(m->p, self);
  set_thread_error(error);
  section::leave(m);
}

}  // namespace

bool leave_thread(worker* m, const fiber& f, ucontext_t& frame, std::uintptr_t restorer) noexcept {
  const auto low = reinterpret_cast<std::uintptr_t>(f.stack->low) + k_room;
  const auto frame_at = reinterpret_cast<std::uintptr_t>(&frame);
  // On the fiber's stack: another's handler was called, on no stack of its own, and calls ours.
  if (frame_at >= low - k_room && frame_at < reinterpret_cast<std::uintptr_t>(f.stack->top)) return false;
  if (f.thread_locks != 0 || !may_change_threads(frame, f)) return false;
  if (!arch::inject_call(frame, &leave_and_come_back, restorer, low)) return false;
  section::enter(m);
  return true;
}

}  // namespace weft::runtime
