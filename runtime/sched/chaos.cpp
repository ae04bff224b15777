#include "runtime/sched/chaos.hpp"

#if WEFT_CHAOS
#include <cstdlib>

#include "runtime/base/atomic.hpp"
#include "runtime/base/random.hpp"

namespace weft::runtime::chaos {
namespace {

// One sequence for all threads: WEFT_SEED=n gives its start. The interleaving of threads stays the machine's.
std::uint32_t draw() noexcept {
  static const std::uint64_t seed = [] {
    const char* text = std::getenv("WEFT_SEED");
    return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
  }();
  static atomic<std::uint64_t> count{0};
  return random_source(seed * 0x1'0000'0001u + count.fetch_add(1, relaxed)).next();
}

}  // namespace

bool migrate() noexcept { return draw() % 2 == 0; }
bool yield() noexcept { return draw() % 8 == 0; }

}  // namespace weft::runtime::chaos
#endif
