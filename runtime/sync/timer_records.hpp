// Timer records for whoever runs user code as well: the pool's lock is a spin lock, and whoever holds one must not be
// preempted, or others spin for it as long as he waits for his turn.
#pragma once
#include "runtime/event/timer_record.hpp"
#include "runtime/sched/section.hpp"
#include "weft/fiber.hpp"

namespace weft::runtime {

// Throws std::bad_alloc; so not in a section.
inline timer_record* take_timer_record() {
  const no_preempt undisturbed;
  return timer_records().take();
}

inline void give_timer_record(timer_record* r) noexcept {
  const section in;
  timer_records().give(r);
}

}  // namespace weft::runtime
