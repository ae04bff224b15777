// How a worker finds its next fiber, and sleeps when there is none.
#pragma once
#include "runtime/sched/worker.hpp"

namespace weft::runtime {

// On the worker's own stack, in the runtime. Null when the runtime stops. The worker holds a processor when it returns
// a fiber.
fiber* find_work(worker*) noexcept;

}  // namespace weft::runtime
