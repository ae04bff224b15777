// aarch64: see arch/arch.hpp for the contract. What jump_fcontext leaves on the stack, from its saved stack pointer up:
// d8 to d15, x19 to x30, the address to go on at, a word of padding.
#pragma once

#include <cstdint>
#include <cstring>

#include "arch/aarch64/signal_frame.hpp"

namespace weft::arch {

struct parked_frame {
  static constexpr std::size_t k_size = 22 * sizeof(std::uintptr_t);

  std::uintptr_t pc = 0;
  std::uintptr_t registers[k_dwarf_registers]{};
  std::uint64_t known = 0;  // bits, of the registers

  explicit parked_frame(const void* saved) noexcept {
    std::uintptr_t words[22];
    std::memcpy(words, saved, sizeof words);
    for (int i = 0; i < 12; ++i) set(19 + i, words[8 + i]);
    set(k_dwarf_sp, reinterpret_cast<std::uintptr_t>(saved) + k_size);
    pc = plain_code_address(words[20]);
  }

 private:
  void set(int r, std::uintptr_t value) noexcept {
    registers[r] = value;
    known |= std::uint64_t{1} << r;
  }
};

}  // namespace weft::arch
