// Leaving a fiber for the next one.
//
// A fiber that leaves picks its successor on its own stack and switches to it directly; only when there is none it goes
// through the worker's own stack, which looks further. What is left to do for the one who left, above all the commit of
// its wait, is done by the successor, which no longer stands on its stack.
#pragma once
#include "runtime/sched/worker.hpp"

namespace weft::runtime {

// The current fiber, in its section, on worker m. Returns when it runs again: the worker it is on now.
worker* switch_away(worker* m, fiber* self, leave_action) noexcept;

// After every arrival: does what remained to be done for the predecessor.
void complete_switch(worker*) noexcept;

// The life of a worker thread, and of its own stack.
void worker_main(worker*) noexcept;

}  // namespace weft::runtime
