// Cancelling a fiber that runs: who may be cut short in what, and that the signal comes until it has been.
//
// What a cancel may cut short opens a record (open_interrupts) and closes it. Meanwhile the fiber names the flag that
// it heeds. Two threads must not miss one another:
//
//   the fiber                                      a cancel
//   ---------                                      --------
//   heeds_on = worker; heeded = &flag  seq_cst     flag |= …                          seq_cst
//   load the flag                      seq_cst     load heeded, heeds_on              seq_cst
//   set: does it, or asks for signals              named: sends the worker SIGURG, asks for signals
//
// One signal is not enough: it may strike where nothing can be cut short, or before the system call it is meant for. So
// the monitor sends it again, as long as a fiber that runs heeds a flag that is set: after 30 us, then ever more
// rarely, up to every 1 ms. It asks the workers what they run, so nobody is listed and nobody taken off. A fiber that
// is in no turn just then asks anew when it gets one (follow_interrupts).
//
// Invariant: a worker's block outlives every turn of every fiber of the run, so heeds_on may be looked at, stale or
// not. Rejected: a list of the fibers to be signalled; its lock would be taken under the locks of contexts, which are
// leaves.
#pragma once
#include <cstdint>

#include "runtime/fiber/fiber.hpp"
#include "runtime/sched/worker.hpp"

namespace weft::runtime {

// The running fiber `self`, outside the runtime. Fills the record, which stays until it is closed. `flag`
// null: from here on nothing is cut short. True: the flag is set already.
bool open_interrupts(fiber* self, detail::interrupt_record&, detail::interrupt_kind,
                     const atomic<std::uint32_t>* flag) noexcept;
void close_interrupts(fiber* self, const detail::interrupt_record&) noexcept;
// That the running fiber be signalled until it has closed its record.
void ask_for_interrupts() noexcept;

// After a flag of the fiber's was set, seq_cst.
void interrupt_fiber(fiber*) noexcept;

// The fiber gets a turn.
void follow_interrupts_slow(worker*, fiber*) noexcept;
inline void follow_interrupts(worker* m, fiber* f) noexcept {
  if (f->heeds) [[unlikely]]
    follow_interrupts_slow(m, f);
}

// The monitor: sends what is due; gives the time of the next look, k_forever if none is needed.
std::int64_t repeat_interrupts(std::int64_t now) noexcept;

}  // namespace weft::runtime
