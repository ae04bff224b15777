// Disorder on purpose, in builds with WEFT_CHAOS: fibers change threads, yield where they need not, run in another
// order. Every build preempts at random, each 20 to 200 us, when WEFT_CHAOS=seed is in the environment (monitor.cpp).
#pragma once
#include "weft/detail/config.hpp"

namespace weft::runtime::chaos {

#if WEFT_CHAOS || WEFT_EXPLORE  // here as drawn, there as explored
bool migrate() noexcept;        // whether this switch should go through the global queue
bool yield() noexcept;          // whether the fiber should yield here
#else
constexpr bool migrate() noexcept { return false; }
constexpr bool yield() noexcept { return false; }
#endif

}  // namespace weft::runtime::chaos
