// A lock for a few instructions: test and test-and-set, with pauses that double, so that a holder who takes it again
// and again keeps it in its cache; then the kernel's yield while the holder is off its CPU.
//
// Inside the runtime it is held only with the in-runtime mark set (sched/section.hpp), so its holder is never preempted
// by us and never runs user code. Unlock is a plain release store; that is why it is no futex lock.
#pragma once
#include <sched.h>

#include "arch/arch.hpp"
#include "runtime/base/atomic.hpp"

namespace weft::runtime {

class spin_lock {
 public:
  void lock() noexcept {
    if (held_.exchange(true, acquire)) [[unlikely]]
      lock_slow();
  }
  bool try_lock() noexcept { return !held_.load(relaxed) && !held_.exchange(true, acquire); }
  void unlock() noexcept { held_.store(false, release); }

 private:
  [[gnu::noinline, gnu::cold]] void lock_slow() noexcept {
    for (unsigned round = 0;; ++round) {
      if (try_lock()) return;
      if (round % 8 == 7)
        ::sched_yield();  // more runnable threads than CPUs: the holder may be waiting for this one
      else
        for (unsigned i = 0; i < 1u << (round % 8); i += 1) arch::pause();
    }
  }

  atomic<bool> held_{false};
};

}  // namespace weft::runtime
