// aarch64: see arch/arch.hpp for the contract.
#pragma once

#include <cstdint>

namespace weft::arch {

// isb rather than yield, which is a no-op on most cores: isb stalls for about as long as x86's pause.
inline void pause() noexcept { asm volatile("isb" ::: "memory"); }

inline std::uint64_t cycle_clock() noexcept {
  std::uint64_t ticks;
  asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
}

}  // namespace weft::arch
