// SIGURG, by which a thread of ours is interrupted: who is to be told, and whose signal it was.
//
// At most one is on its way to a worker: `signalled` is set before it is sent and taken by the handler. It carries the
// worker, as a timer's does, which is how the handler knows its own from others'; those go to the handler that was
// there before weft's. Of two that are pending the kernel keeps the first alone, ours or not, so any of them takes
// `signalled`. The handler runs on the alternate stack, keeps errno, and blocks nothing but SIGURG itself; interrupted
// system calls are restarted where the kernel can (not poll, nanosleep and their like: signal(7)). Source: Go's choice
// of signal (proposal 24543): debuggers pass it on, libc does not use it, and a spurious one is ignored by default.
//
// One that was sent may be lost: merged with a timer's that is pending, which the kernel throws away when the timer is
// set anew. Whoever asks again after a while clears `signalled` first.
#pragma once
#include <signal.h>
#include <ucontext.h>

#include <cstdint>

#include "runtime/fiber/worker_view.hpp"

namespace weft::runtime {

// What the handler calls on a worker's thread. Idempotent. `frame` may be changed: it is what the thread returns to, by
// way of `restorer`, the handler's return address.
using preempt_function = void (*)(worker*, ucontext_t& frame, std::uintptr_t restorer) noexcept;
void install_preempt_signal(preempt_function);
// For tests: the handler that was there before comes back.
void remove_preempt_signal();

// May be called anywhere, also in a signal handler. Nothing is sent while an earlier one is on its way.
void send_preempt_signal(worker_view&) noexcept;

}  // namespace weft::runtime
