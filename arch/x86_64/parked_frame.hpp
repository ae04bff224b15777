// x86-64: see arch/arch.hpp for the contract. What jump_fcontext leaves on the stack, from its saved stack pointer up:
// the control words, r12 to r15, rbx, rbp, the return address.
#pragma once

#include <cstdint>
#include <cstring>

#include "arch/x86_64/signal_frame.hpp"

namespace weft::arch {

struct parked_frame {
  static constexpr std::size_t k_size = 8 * sizeof(std::uintptr_t);

  std::uintptr_t pc = 0;
  std::uintptr_t registers[k_dwarf_registers]{};
  std::uint64_t known = 0;  // bits, of the registers

  explicit parked_frame(const void* saved) noexcept {
    std::uintptr_t words[8];
    std::memcpy(words, saved, sizeof words);
    constexpr int k_where[] = {12, 13, 14, 15, 3, 6};
    for (int i = 0; i < 6; ++i) set(k_where[i], words[i + 1]);
    set(k_dwarf_sp, reinterpret_cast<std::uintptr_t>(saved) + k_size);
    pc = words[7];
  }

 private:
  void set(int r, std::uintptr_t value) noexcept {
    registers[r] = value;
    known |= std::uint64_t{1} << r;
  }
};

}  // namespace weft::arch
