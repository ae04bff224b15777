// How a worker finds its next fiber, and sleeps when there is none.
#pragma once
#include "runtime/sched/worker.hpp"

namespace weft::runtime {

// On the worker's own stack, in the runtime. Null when the runtime stops. The worker holds a processor when it returns
// a fiber.
fiber* find_work(worker*) noexcept;

// The same for a worker whose thread a fiber has locked: waits until that one is to run.
fiber* await_locked(worker*) noexcept;

}  // namespace weft::runtime
