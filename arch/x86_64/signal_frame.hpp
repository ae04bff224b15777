// x86-64, Linux: see arch/arch.hpp for the contract.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace weft::arch {

// In uc_stack.ss_flags: the kernel refuses such an alternate stack, returning from a signal too, and leaves the
// thread's.
inline constexpr int k_no_such_stack = 0x7fff'0000;

inline std::uintptr_t frame_pc(const ucontext_t& u) noexcept {
  return static_cast<std::uintptr_t>(u.uc_mcontext.gregs[REG_RIP]);
}
inline std::uintptr_t frame_sp(const ucontext_t& u) noexcept {
  return static_cast<std::uintptr_t>(u.uc_mcontext.gregs[REG_RSP]);
}
inline void set_frame_pc(ucontext_t& u, std::uintptr_t pc) noexcept {
  u.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(pc);
}

// The kernel has set the counter back for a system call that is to be restarted, and left it behind one that ends with
// EINTR.
inline bool frame_in_system_call(const ucontext_t& u) noexcept {
  constexpr unsigned char k_syscall[] = {0x0f, 0x05};
  const auto* pc = reinterpret_cast<const unsigned char*>(frame_pc(u));
  return std::memcmp(pc, k_syscall, 2) == 0 || std::memcmp(pc - 2, k_syscall, 2) == 0;
}

// The instruction is next: the call was not made yet, or is to be made again. The number is in rax either way.
inline bool frame_at_system_call(const ucontext_t& u) noexcept {
  constexpr unsigned char k_syscall[] = {0x0f, 0x05};
  return std::memcmp(reinterpret_cast<const void*>(frame_pc(u)), k_syscall, 2) == 0;
}
inline long frame_system_call(const ucontext_t& u) noexcept { return u.uc_mcontext.gregs[REG_RAX]; }
inline long frame_system_call_argument(const ucontext_t& u, int i) noexcept {
  constexpr int k_where[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
  return u.uc_mcontext.gregs[k_where[i]];
}
inline void skip_system_call(ucontext_t& u, long result) noexcept {
  set_frame_pc(u, frame_pc(u) + 2);
  u.uc_mcontext.gregs[REG_RAX] = result;
}

inline void resume_at(ucontext_t& u, std::uintptr_t pc, std::uintptr_t sp) noexcept {
  constexpr std::uint32_t k_magic = 0x4650'5853;  // FP_XSTATE_MAGIC1: an XSAVE header follows the legacy 512 bytes
  constexpr std::size_t k_magic_at = 464, k_features_at = 512;
  constexpr std::uint64_t k_kept = 1 << 0 | 1 << 1 | 1 << 9;  // x87, SSE, protection keys; the rest becomes initial
  set_frame_pc(u, pc);
  u.uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(sp);
  auto* state = reinterpret_cast<unsigned char*>(u.uc_mcontext.fpregs);
  std::uint32_t magic = 0;
  if (state == nullptr) return;
  std::memcpy(&magic, state + k_magic_at, sizeof magic);
  if (magic != k_magic) return;
  std::uint64_t features;
  std::memcpy(&features, state + k_features_at, sizeof features);
  features &= k_kept;  // dirty upper halves of vectors would slow the resumed code down, tiles stay in use
  std::memcpy(state + k_features_at, &features, sizeof features);
}

inline constexpr int k_dwarf_registers = 17;  // the last is the return address's column
inline constexpr int k_dwarf_sp = 7;
constexpr bool dwarf_callee_saved(int r) noexcept { return r == 3 || r == 6 || (r >= 12 && r <= 15); }

inline void frame_registers(const ucontext_t& u, std::uintptr_t (&out)[k_dwarf_registers]) noexcept {
  constexpr int k_by_dwarf[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
                                REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
  for (int i = 0; i < k_dwarf_registers; ++i) out[i] = static_cast<std::uintptr_t>(u.uc_mcontext.gregs[k_by_dwarf[i]]);
}

inline std::uintptr_t plain_code_address(std::uintptr_t a) noexcept { return a; }

}  // namespace weft::arch
