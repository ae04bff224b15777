// M: a thread of ours that runs fibers while it holds a processor.
#pragma once
#include <sched.h>
#include <signal.h>
#include <time.h>

#include <cstdint>
#include <thread>

#include "runtime/base/futex.hpp"
#include "runtime/event/poll_note.hpp"
#include "runtime/fiber/fiber.hpp"
#include "runtime/fiber/worker_view.hpp"
#include "runtime/stack/overflow.hpp"

namespace weft::runtime {

struct processor;

// What remains to be done for the one who switched away, by its successor.
enum class leave_action : std::uint8_t { none, park, yield, global, preempted, exit, park_durably };

// The processor a worker holds. Written by the worker, and by the monitor that takes it away while the worker is
// outside the runtime (detach.hpp): within a section it stands still, outside of one it may be out of date.
class held_processor {
 public:
  processor* get() const noexcept { return p_.load(relaxed); }
  operator processor*() const noexcept { return get(); }
  processor* operator->() const noexcept { return get(); }
  held_processor& operator=(processor* p) noexcept {
    p_.store(p, relaxed);
    return *this;
  }
  processor* take() noexcept {
    processor* p = get();
    p_.store(nullptr, relaxed);
    return p;
  }

 private:
  atomic<processor*> p_{nullptr};
};

struct worker : worker_view {
  // The in-runtime mark (section.hpp): above zero while this thread is inside the runtime.
  atomic<std::uint32_t> in{0};
  // Bits: whoever enters the runtime looks at them. See section.hpp. Shared.
  static constexpr std::uint32_t k_taking = 1, k_no_membarrier = 2;
  atomic<std::uint32_t> hold{0};
  held_processor p;
  atomic<processor*> handed{nullptr};  // given to it while it sleeps; it takes it up when it wakes
  atomic<fiber*> current{nullptr};     // null on the thread's own stack. Shared with dumps
  fiber* predecessor = nullptr;
  leave_action action = leave_action::none;
  bool spinning = false;  // counted in scheduler::spinning
  bool in_idle_list = false;
  bool starting = false;  // counted in scheduler::starting_workers
  bool retiring = false;
  execution base;             // the thread's own stack, where it looks for work
  std::int64_t seen_cpu = 0;  // the monitor's: call_in_detached
  poll_note wake;
  atomic<processor*> lent{nullptr};  // while it blocks: blocked.hpp
  // Its processor was taken while it ran or was blocked unannounced: it is to ask for one. Shared.
  atomic<bool> detached{false};
  atomic<bool> interrupted{false};  // its fiber waits in the signal handler. Shared
  fiber* locked = nullptr;          // the one fiber this thread may run: lock_os_thread
  fiber* at_hand = nullptr;         // it was found on the way here, and belongs to another thread
  atomic<bool> has_timer{false};
  ::timer_t timer{};   // sends SIGURG to this thread
  sigset_t mask{};     // what the thread blocks when it runs fibers
  bool moved = false;  // to the CPU of the thread that woke it: threads.hpp
  cpu_set_t cpus{};    // where it may run otherwise
  worker* next_idle = nullptr;
  worker* next_all = nullptr;
  signal_stack for_signals;
  std::thread thread;
};

// In a section. Null: a foreign thread, or a worker that has none.
inline processor* processor_of(const worker* m) noexcept { return m == nullptr ? nullptr : m->p.get(); }

}  // namespace weft::runtime
