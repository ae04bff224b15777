// x86-64: see arch/arch.hpp for the contract.
#pragma once

#include <x86intrin.h>

#include <cstdint>

namespace weft::arch {

inline void pause() noexcept { _mm_pause(); }

inline std::uint64_t cycle_clock() noexcept { return __rdtsc(); }

}  // namespace weft::arch
