// The trampoline under interruptible(f), which f can leave in two ways.
//
// weft_interruptible(f, argument, frame) saves what a callee owes its caller (the callee-saved registers and the
// control words of the floating point units), stores its stack pointer in *frame and calls f(argument). It returns 0
// when f returns; an exception passes. To abandon f, whoever holds f's interrupted state (a signal handler) points it
// at weft_interruptible_abandoned with the stack pointer that was stored: there the trampoline restores what it saved
// and returns 1. To the compiler that is one opaque call with an ordinary return, so nothing is in a register that
// should not be. Rejected: setjmp and longjmp, whose second return compilers treat as one (volatile, clobbered), which
// saves a signal mask or not by libc's choice, and which _FORTIFY_SOURCE checks against the thread's stack, not the
// fiber's.
//
// weft_interruptible_called is the address to which f returns: by it a walk over the frames knows that it has arrived.
#pragma once

#include <cstdint>

extern "C" {

[[gnu::visibility("hidden")]] int weft_interruptible(void (*f)(void*), void* argument, std::uintptr_t* frame);

// Places in code, never called.
[[gnu::visibility("hidden")]] extern const char weft_interruptible_called[];
[[gnu::visibility("hidden")]] extern const char weft_interruptible_abandoned[];
}
