// x86-64: see arch/arch.hpp for the contract.
#pragma once

#include <x86intrin.h>

#include <cstdint>

#include "weft/detail/atomic_of.hpp"

namespace weft::arch {

inline void pause() noexcept {
#if WEFT_EXPLORE
  detail::explore_spin();
#else
  _mm_pause();
#endif
}

inline std::uint64_t cycle_clock() noexcept {
#if WEFT_EXPLORE
  return detail::explore_draw();
#else
  return __rdtsc();
#endif
}

}  // namespace weft::arch
