// blocking(f): a worker that is about to block its thread keeps a claim on its processor, which the monitor takes away
// if the call lasts.
//
// worker::lent: null → the processor (enter) → null, by the worker's exchange (leave, back in possession) or by the
// monitor's CAS from this very processor (taken). While it blocks, worker::p is null: to everything it calls in there
// the thread is one without a processor. So calls that do not last cost two atomic operations. Rejected: a state beside
// the pointer; the monitor read the owner, that worker came back, went on and lent another processor, and the monitor
// gave away the first. Source: Go's entersyscall, exitsyscall and retake.
#pragma once
#include <cstdint>

#include "runtime/sched/section.hpp"

namespace weft::runtime {

bool enter_blocking() noexcept;  // false: nothing to leave; a foreign thread, or nested
void leave_blocking() noexcept;

// The current fiber, in its section and about to switch: gives its worker a processor, which it lacks inside blocking()
// and when it has been detached (detach.hpp). The fiber may change workers on the way.
worker* regain_processor(worker*, fiber* self) noexcept;
inline void require_processor(section& in, fiber* self) noexcept {
  if (in.here()->p == nullptr) [[unlikely]]
    in.moved_to(regain_processor(in.here(), self));
}

// The monitor: takes processors from workers that have blocked for long while work waits; true if it took one.
bool retake_blocked(std::int64_t now) noexcept;

}  // namespace weft::runtime
