#include "runtime/sched/section.hpp"

#include <sched.h>

#include "arch/arch.hpp"

namespace weft::runtime {

[[gnu::noinline, gnu::section("weft_same_thread")]] worker* section::mark_here() noexcept {
  worker* m = this_worker();
  if (m != nullptr) m->in.store(m->in.load(relaxed) + 1, relaxed);
  return m;
}

[[gnu::noinline, gnu::cold]] void section::wait_for_taker(worker* m) noexcept {
  if ((m->hold.load(relaxed) & worker::k_no_membarrier) != 0) full_fence();  // the taker has one too
  for (unsigned spins = 0; (m->hold.load(acquire) & worker::k_taking) != 0; ++spins) {
    if (spins % 64 == 63)
      ::sched_yield();
    else
      arch::pause();
  }
}

}  // namespace weft::runtime
