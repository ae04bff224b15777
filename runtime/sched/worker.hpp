// M: a thread of ours that runs fibers while it holds a processor.
#pragma once
#include <cstdint>
#include <thread>

#include "runtime/base/futex.hpp"
#include "runtime/fiber/fiber.hpp"
#include "runtime/fiber/worker_view.hpp"

namespace weft::runtime {

struct processor;

// What remains to be done for the one who switched away, by its successor.
enum class leave_action : std::uint8_t { none, park, yield, global, exit };

struct worker : worker_view {
  // The in-runtime mark (section.hpp): above zero while this thread is inside the runtime.
  atomic<std::uint32_t> in{0};
  processor* p = nullptr;              // held by this worker
  atomic<processor*> handed{nullptr};  // given to it while it sleeps; it takes it up when it wakes
  atomic<fiber*> current{nullptr};     // null on the thread's own stack. Shared with dumps
  fiber* predecessor = nullptr;
  leave_action action = leave_action::none;
  bool spinning = false;  // counted in scheduler::spinning
  bool in_idle_list = false;
  execution base;  // the thread's own stack, where it looks for work
  note wake;
  atomic<processor*> lent{nullptr};  // while it blocks: blocked.hpp
  worker* next_idle = nullptr;
  worker* next_all = nullptr;
  std::thread thread;
};

}  // namespace weft::runtime
