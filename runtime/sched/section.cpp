#include "runtime/sched/section.hpp"

#include "runtime/base/spin_until.hpp"

namespace weft::runtime {

[[gnu::noinline, gnu::section("weft_same_thread")]] worker* section::mark_here() noexcept {
  worker* m = this_worker_inline();
  if (m != nullptr) m->in.store(m->in.load(relaxed) + 1, relaxed);
  return m;
}

[[gnu::noinline, gnu::cold]] void section::wait_for_taker(worker* m) noexcept {
  if ((m->hold.load(relaxed) & worker::k_no_membarrier) != 0) full_fence();  // the taker has one too
  spin_until([m] { return (m->hold.load(acquire) & worker::k_taking) == 0; });
}

}  // namespace weft::runtime
