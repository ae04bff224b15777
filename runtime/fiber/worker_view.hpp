// The part of a worker thread that the layers below the scheduler need; struct worker (sched/worker.hpp) begins with
// it.
#pragma once
#include "runtime/base/atomic.hpp"
#include "runtime/fiber/execution.hpp"

namespace weft::runtime {

struct worker_view {
  execution* leaving = nullptr;                 // who switched away last, until the successor has taken over
  __cxa_eh_globals_view* exceptions = nullptr;  // this thread's, cached: its address never changes
  atomic<int> thread_id{0};                     // the kernel's; 0 while no thread runs as this worker
  atomic<bool> signalled{false};                // a SIGURG of ours is on its way (event/preempt_signal.hpp)
};

inline worker_view& view_of(worker* m) noexcept { return *reinterpret_cast<worker_view*>(m); }

}  // namespace weft::runtime
