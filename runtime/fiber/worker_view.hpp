// The part of a worker thread that the switch needs; struct worker (sched/worker.hpp) begins with it.
#pragma once
#include "runtime/fiber/execution.hpp"

namespace weft::runtime {

struct worker_view {
  execution* leaving = nullptr;                 // who switched away last, until the successor has taken over
  __cxa_eh_globals_view* exceptions = nullptr;  // this thread's, cached: its address never changes
};

inline worker_view& view_of(worker* m) noexcept { return *reinterpret_cast<worker_view*>(m); }

}  // namespace weft::runtime
