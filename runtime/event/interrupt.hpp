// Cutting short what a fiber does, from the signal that strikes its thread.
//
// A fiber that does something which a cancel may cut short keeps a record of it on its stack, and names the flag that
// it heeds (fiber::heeded); who sets the flag sends the thread SIGURG (sched/interrupts.hpp). Here is what the handler
// does:
//   leave_call  the thread is before the kernel in weft's own system call, or was thrown back to its start: it goes to
//   the
//               cancelled exit, so the call never happens. Elsewhere nothing: the call sees the flag, or is over.
//   end_calls   the thread is at a system call instruction, to make the call or to make it again: it goes on behind it
//               with EINTR. Only calls that may end so by signal(7) ("slow" ones), for no other would be asked after
//               it; and of futex only the waits, as a wake-up that is not sent is missed. Not in a user's signal
//               handler.
//   abandon     at a safe point the thread goes to the trampoline's second exit. Safe: nothing shields the fiber, it
//               handles the exceptions that it handled when it began, and every frame from the interrupted one down to
//               the trampoline is code of f's own object file, has nothing to destroy or catch, and is no signal
//               handler.
// Where that does not hold nothing happens; the signal comes again.
//
// weft's own code is to be kept out of that also where it is linked statically into f's object file: functions of it
// that wait, and then throw, hold a not_abandoned.
//
// Rejected: restoring the exceptions in flight and the fiber's depths when f is abandoned with others than it began
// with: what they stand for would be leaked. It waits until they are as they were.
#pragma once
#include <ucontext.h>

#include "runtime/fiber/fiber.hpp"
#include "runtime/fiber/worker_view.hpp"

namespace weft::runtime {

// A frame from which an exception may come while one of these lives has something to destroy. It costs no instruction.
struct not_abandoned {
  ~not_abandoned() { asm volatile(""); }
};

// In the handler, for the fiber that runs on this thread, outside the runtime (its mark is not set). True: the frame
// was changed, and the handler returns to it. Neither locks nor allocates. `mask`: what the thread blocks when it runs
// fibers; code that runs with another one is taken for a signal handler's.
bool interrupt_running(worker_view&, fiber&, ucontext_t&, const sigset_t& mask) noexcept;

}  // namespace weft::runtime
