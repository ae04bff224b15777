// Waits for what another thread, within the runtime, is about to do.
#pragma once
#include <sched.h>

#include <concepts>

#include "arch/arch.hpp"

namespace weft::runtime {

// Pauses, and now and then the kernel's yield: that thread may be waiting for this CPU.
template <std::predicate Done>
void spin_until(Done done) noexcept {
  for (unsigned spins = 0; !done(); ++spins) {
    if (spins % 64 == 63)
      ::sched_yield();
    else
      arch::pause();
  }
}

}  // namespace weft::runtime
