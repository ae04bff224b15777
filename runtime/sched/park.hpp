// Waiting and waking, for everything above the scheduler.
//
// A wait, in order:
//   1. fiber* self = current_fiber();           and, at a cancellation point, cancel_pending(self)
//   2. section in; lock the structure; look whether there is need to wait
//   3. begin_wait(self, mode): the word is `preparing`; false: canceled, with nothing queued
//   4. queue (self, generation) wherever a waker shall find it; unlock
//   5. park(in, self, reason): the reason it was woken
//   6. leave every queue one may still be in, passing through each lock
//
// Outside a section a fiber knows itself, but not its worker: it may change workers between any two instructions.
#pragma once
#include <cstdint>

#include "runtime/event/timer_record.hpp"
#include "runtime/fiber/fiber.hpp"
#include "runtime/sched/chaos.hpp"
#include "runtime/sched/processor.hpp"
#include "runtime/sched/section.hpp"

namespace weft::runtime {

// The fiber that runs here; null on a foreign thread.
fiber* running_fiber() noexcept;
// The same, or the block of this foreign thread (made at its first call; throws std::bad_alloc then).
fiber* foreign_fiber();
inline fiber* current_fiber() {
  if (fiber* f = running_fiber()) [[likely]]
    return f;
  return foreign_fiber();
}

// Whether nothing may be thrown at the current fiber: in a shield, unwinding, or in a handler for `canceled`.
bool shielded(const fiber*) noexcept;

// Whether a cancellation point of the current fiber must end in `canceled`.
bool flagged_and_open(const fiber*) noexcept;
inline bool cancel_pending(const fiber* f) noexcept { return f->cancel.load(acquire) != 0 && flagged_and_open(f); }

// In a section: how the current fiber may be cancelled in a wait that is a cancellation point for its bound context.
wait_mode bound_mode(const fiber*) noexcept;

struct begun_wait {
  bool canceled;
  std::uint32_t generation;
};
begun_wait begin_wait(fiber* self, wait_mode) noexcept;

// Gives wait_word::k_canceled, wait_word::k_timeout or the waker's code.
std::uint32_t park(section&, fiber* self, wait_reason) noexcept;

// A foreign thread's park with an end of its own, k_timeout; needs no runtime.
std::uint32_t park_foreign_until(fiber* self, std::int64_t when) noexcept;

// In a section. Claims the wait and makes the waiter ready in one; false if it was lost.
bool wake(worker* here, fiber*, std::uint32_t generation, std::uint32_t why) noexcept;
// The same, but the fiber that is to be made ready goes into `into`.
bool wake(fiber*, std::uint32_t generation, std::uint32_t why, fiber_list& into) noexcept;
// The two halves of wake, with a transfer in between.
inline claim_result claim(fiber* f, std::uint32_t generation, std::uint32_t why) noexcept {
  return f->word.claim(generation, why, false);
}
void finish(worker* here, fiber*, claim_result) noexcept;

// Sets the flag and ends the current wait if it may be ended so; a fiber that is to be made ready goes into `into`.
void cancel_fiber(fiber*, std::uint32_t flag, fiber_list& into) noexcept;

// The same for the system call that the fiber makes under a context it was given (cancel_link::one_call).
void cancel_call(fiber*) noexcept;

// Puts the fiber's wait of this generation into a processor's timers; gives the processor's index, for
// note_stale_timer.
unsigned insert_timer(std::int64_t when, fiber*, std::uint32_t generation);
void insert_timer(std::int64_t when, timer_record*, std::uint32_t generation);
void note_stale_timer(unsigned processor_index) noexcept;

// A record from the pool, and back, under the mark: a fiber that was preempted with the pool's lock would have all
// others spin for it until its next turn.
timer_record* take_timer_record();
void give_timer_record(timer_record*) noexcept;

// Lets others run; the current fiber, not a foreign thread, stays ready.
void yield_now() noexcept;

// Whether the running fiber should give way, and the giving way. Nothing on a foreign thread.
bool asked_to_give_way() noexcept;
void give_way() noexcept;
inline void heed_attention() noexcept {
  if (asked_to_give_way()) [[unlikely]]
    give_way();
}
// In the section of a worker: whether its fiber may be cancelled, or should give way, or has lost its processor, and so
// has to look closer before it goes on.
inline bool anything_asked(const worker& m) noexcept {
  const processor* p = m.p;
  const fiber* f = m.current.load(relaxed);
  return p == nullptr || f == nullptr || (p->attention.load(relaxed) & processor::k_give_way) != 0 ||
         f->cancel.load(acquire) != 0 || chaos::yield();
}

}  // namespace weft::runtime
