// The in-runtime mark.
//
// While it is set on a worker, nobody takes the worker's processor away and no signal preempts it. In return there is,
// under it: no user code (moves of T, destructors, callbacks), no malloc, no throw, no lock that user code can hold. A
// switch happens inside a section, entered on one worker and left on another; that is why leaving reads the worker
// anew.
//
// Taking a processor away from a worker that is outside (detach.hpp) is an asymmetric Dekker:
//   worker: in = 1; compiler fence; load hold          taker: hold |= taking; membarrier; load in
// Either the worker sees that its processor is being taken and waits for the outcome, or the taker sees that it is
// inside and takes nothing. Where the kernel has no membarrier the worker's `hold` says so, and it fences itself.
#pragma once
#include <atomic>

#include "runtime/sched/worker.hpp"

namespace weft::runtime {

class section {
 public:
  section() noexcept : here_(enter()) {}
  // On the calling thread's worker, or null. From a section, a signal handler or a worker's own stack: elsewhere the
  // fiber may no longer be on the worker that it has asked for.
  explicit section(worker* here) noexcept : here_(here) { enter(here); }
  ~section() { leave(here_); }
  section(const section&) = delete;
  section& operator=(const section&) = delete;

  worker* here() const noexcept { return here_; }
  void moved_to(worker* m) noexcept { here_ = m; }  // after a switch

  static worker* enter() noexcept {
    worker* m = mark_here();
    if (m != nullptr) guard(m);  // a foreign thread has no mark
    return m;
  }
  static void enter(worker* m) noexcept {
    if (m == nullptr) return;
    m->in.store(m->in.load(relaxed) + 1, relaxed);
    guard(m);
  }
  static void leave(worker* m) noexcept {
    if (m == nullptr) return;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    m->in.store(m->in.load(relaxed) - 1, release);
    detail::explore_fence();  // user code has atomics and locks of its own, of which explore does not know
  }

 private:
  static worker* mark_here() noexcept;  // this thread's worker, marked
  static void guard(worker* m) noexcept {
    // A handler on this thread sees the mark before anything it guards.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (m->hold.load(acquire) != 0) [[unlikely]]  // acquire: pairs with the taker's release in detach.cpp
      wait_for_taker(m);
  }
  static void wait_for_taker(worker*) noexcept;

  worker* here_;
};

}  // namespace weft::runtime
