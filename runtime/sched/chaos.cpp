#include "runtime/sched/chaos.hpp"

#if WEFT_CHAOS
#include "runtime/base/atomic.hpp"
#include "runtime/base/random.hpp"
#include "runtime/sched/scheduler.hpp"

namespace weft::runtime::chaos {
namespace {

// One sequence for all threads: WEFT_CHAOS=n gives its start. The interleaving of threads stays the machine's.
std::uint32_t draw() noexcept {
  static atomic<std::uint64_t> count{0};
  return random_source(sched().config.chaos_seed * 0x1'0000'0001u + count.fetch_add(1, relaxed)).next();
}

}  // namespace

bool migrate() noexcept { return draw() % 2 == 0; }
bool yield() noexcept { return draw() % 8 == 0; }

}  // namespace weft::runtime::chaos
#endif
