// Taking a processor away without asking, from a worker that is outside the runtime.
//
// It is blocked in the kernel, in a call that nobody announced (a std::mutex, ::read, getaddrinfo), or computes where
// no signal finds a safe point. Its thread goes on as a plain one, without a processor, and waits for one at its next
// runtime call, or where a signal next finds it at a safe point. So a fiber that blocks its thread holds up nobody
// else, and the owner of a lock that others block on always runs again.
//
// Blocked means: the thread's CPU clock has as good as stood still between two looks, and /proc says that it is not
// runnable. The clock alone would take a thread that waits for a CPU on a loaded machine for a blocked one. Source for
// the idea: Go's retake of processors in system calls; the hand-over is section.hpp's.
#pragma once
#include <cstdint>

#include "runtime/sched/processor.hpp"
#include "runtime/sched/worker.hpp"

namespace weft::runtime {

enum class overstay : std::uint8_t { blocks, computes };

// For the monitor only. False: the turn (that p.tick counted) is over, its thread is in the runtime, or it computes in
// a no_preempt scope.
bool detach(processor& p, std::uint32_t turn, overstay) noexcept;

// What the thread has used of the CPU, in nanoseconds; -1 where it cannot be told.
std::int64_t cpu_time(const worker&) noexcept;
// Neither runs nor waits for a CPU.
bool blocked_in_kernel(const worker&) noexcept;

}  // namespace weft::runtime
