// Preemption: a fiber that computes for long is interrupted when somebody waits for its processor.
//
// By escalation:
//   1. A flag (processor::attention), seen by poll() and the runtime's own points.
//   2. SIGURG, out of a POSIX timer of the worker's own, so that no other thread need run first, or by tgkill. At a
//   safe
//      point (safe_point.hpp) the fiber waits *in the handler*, on its thread, with all its state; its processor goes
//      on with another worker. So preemption keeps what arbitrary C++ relies on: thread-locals, errno, locks' owners.
//      A fiber that says it is migratable leaves its thread there, if it can: migratable.hpp.
//   3. No safe point to be found, or blocked in the kernel: the processor is taken without asking (detach.hpp).
//
// Invariants
// 1. Nothing is sent while nobody waits.
// 2. A preempted fiber is in scheduler::preempted, and its `home` is the worker whose handler it waits in, null if it
//    left. Whoever takes it out hands his processor to that worker.
// 3. A processor is given up only to somebody: a worker that sleeps, taken from the idle ones under the lock, or the
//    home of another preempted fiber. There is none: nothing happens, and a spare is asked for.
// 4. Whoever is to be interrupted may lack a CPU while another has one: the kernel had put both loops on one and left
//    the other idle. So a second turn is asked a little later: the next longest, for work that any processor may take;
//    for a timer the turn of the processor before, whose successor finds it when it steals.
// 5. A worker's timer that is armed goes with the turn it was armed against: the signal is not for the next one.
// 6. Interruptions have a limit, processor::interruptions. One takes some 40 us of the processor's time, two threads
//    having to wake; without it timers that come every 40 us would have nearly all of it, and a loop end many times
//    later than its work takes. So they have a tenth of it at most; until then each comes at once.
//
// A turn is `watched` once the monitor has seen it last and compute; due timers may interrupt it, and others at the end
// of its slice. Past its slice it is a long turn, and stays one when it is resumed: then whoever waits interrupts it
// after k_least_run_ns. What is left of the slice it keeps.
// Rejected: a switch out of the handler onto another fiber (thread-locals, and a handler's frame on a stack that
// another thread would return through). Source for the escalation: Go's proposal 24543; the timers are ours.
#pragma once
#include <ucontext.h>

#include <cstdint>

#include "runtime/sched/worker.hpp"

namespace weft::runtime {

inline constexpr std::int64_t k_least_run_ns = 20'000;
inline constexpr std::int64_t k_missed_ns = 200'000;  // a timer of a worker's that is this late will not come

// Once per run, before there are workers.
void prepare_preemption();

// The worker's timer; on its thread.
void make_preempt_timer(worker*) noexcept;
void delete_preempt_timer(worker*) noexcept;

// The owner's timer goes off at that time, if nothing earlier is set that may still come.
void arm_preemption(processor*, std::int64_t when) noexcept;
// A timer of this processor's was set: if its turn lasts it is interrupted then, and a little later the one before.
void arm_for_timer(processor*, std::int64_t when) noexcept;
// The worker's timer does not go off, whatever was set.
void disarm_preemption(worker*) noexcept;
// Interrupts the owner now.
void preempt(processor*) noexcept;
// Chaos: interrupts the owner though nobody waits.
void disturb(processor*) noexcept;
// If some processor is in a long turn: interrupts one.
void preempt_long_turn() noexcept;

// When whoever waits for this processor may have it; k_forever: nobody waits.
std::int64_t preemption_due(processor&, std::int64_t now) noexcept;

// The turn of a fiber that was interrupted begins anew.
void begin_turn_again(processor*, fiber*) noexcept;

// The turn is over: whoever asked for this processor has got a new one.
void end_turn(processor*) noexcept;

struct preemption_counts {
  std::uint64_t signals;   // handled
  std::uint64_t pinned;    // fibers that waited in the handler
  std::uint64_t migrated;  // fibers that left their thread where they were interrupted
  std::uint64_t detached;  // processors taken without asking
};
preemption_counts preempt_stats() noexcept;
void count_detached() noexcept;

}  // namespace weft::runtime
