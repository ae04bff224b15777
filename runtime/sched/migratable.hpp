// Preemption of a fiber that may change threads: it leaves its thread in the middle of a computation, and goes on on
// whichever gets it next. No thread waits with it, and no other has to be woken.
//
// The handler does not switch: its frame is on the thread's own signal stack. It copies the frame to the fiber's stack
// and has the thread return into weft, there, as if the interrupted code had called (arch::inject_call). In that call
// the fiber parks like any other; the return from it is the return from a signal, and restores every register.
// Rejected: saving the registers in assembly. The kernel's frame has them all, of every extension of the CPU, and on
// aarch64 there is no other way back with all registers as they were.
#pragma once
#include <ucontext.h>

#include <cstdint>

#include "runtime/fiber/fiber.hpp"

namespace weft::runtime {

struct worker;

// In the handler, at a safe point, in a section, which stays entered for the call. False: not here, or not this fiber;
// nothing has changed.
bool leave_thread(worker*, const fiber&, ucontext_t&, std::uintptr_t restorer) noexcept;

}  // namespace weft::runtime
