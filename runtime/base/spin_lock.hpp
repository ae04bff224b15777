// A lock for a few instructions: test and test-and-set, with pauses that double, so that a holder who takes it again
// and again keeps it in its cache; then the kernel's yield while the holder is off its CPU.
//
// Inside the runtime it is held only with the in-runtime mark set (sched/section.hpp), so its holder is never preempted
// by us and never runs user code. Unlock is a plain release store; that is why it is no futex lock.
#pragma once
#include <sched.h>

#include <algorithm>

#include "arch/arch.hpp"
#include "runtime/base/atomic.hpp"

namespace weft::runtime {

inline constexpr unsigned k_first_pauses = 1, k_most_pauses = 128;

// Takes `held`, which was found taken: looks again after `first` pauses, then twice as many.
[[gnu::noinline, gnu::cold]] inline void wait_and_lock(atomic<bool>& held, unsigned first) noexcept {
  unsigned pauses = first;
  for (unsigned round = 1;; ++round) {
    if (!held.load(relaxed) && !held.exchange(true, acquire)) return;
    if (round % 8 == 0) {
      ::sched_yield();  // more runnable threads than CPUs: the holder may be waiting for this one
      pauses = first;
      continue;
    }
    for (unsigned i = 0; i < pauses; ++i) arch::pause();
    pauses = std::min(2 * pauses, k_most_pauses);
  }
}

template <unsigned FirstPauses>
class basic_spin_lock {
 public:
  void lock() noexcept {
    if (held_.exchange(true, acquire)) [[unlikely]]
      wait_and_lock(held_, FirstPauses);
  }
  bool try_lock() noexcept { return !held_.load(relaxed) && !held_.exchange(true, acquire); }
  void unlock() noexcept { held_.store(false, release); }

 private:
  atomic<bool> held_{false};
};

using spin_lock = basic_spin_lock<k_first_pauses>;

// Of what is fought for all the time, as a channel between several at each end. Who finds it taken stays away for some
// sixty operations: so long the other has its lines to itself. With one pause both pass them to and fro for each item.
inline constexpr unsigned k_stand_back = 32;
using contended_lock = basic_spin_lock<k_stand_back>;

}  // namespace weft::runtime
