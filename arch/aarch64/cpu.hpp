// aarch64: see arch/arch.hpp for the contract.
#pragma once

#include <cstdint>

#include "weft/detail/atomic_of.hpp"

namespace weft::arch {

// isb rather than yield, which is a no-op on most cores: isb stalls for about as long as x86's pause.
inline void pause() noexcept {
#if WEFT_EXPLORE
  detail::explore_spin();
#else
  asm volatile("isb" ::: "memory");
#endif
}

inline std::uint64_t cycle_clock() noexcept {
#if WEFT_EXPLORE
  return detail::explore_draw();
#else
  std::uint64_t ticks;
  asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#endif
}

}  // namespace weft::arch
