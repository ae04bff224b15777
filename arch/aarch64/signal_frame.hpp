// aarch64, Linux: see arch/arch.hpp for the contract.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include <cstdint>
#include <cstring>

namespace weft::arch {

// In uc_stack.ss_flags: the kernel refuses such an alternate stack, returning from a signal too, and leaves the
// thread's.
inline constexpr int k_no_such_stack = 0x7fff'0000;

inline std::uintptr_t frame_pc(const ucontext_t& u) noexcept { return u.uc_mcontext.pc; }
inline std::uintptr_t frame_sp(const ucontext_t& u) noexcept { return u.uc_mcontext.sp; }
inline void set_frame_pc(ucontext_t& u, std::uintptr_t pc) noexcept { u.uc_mcontext.pc = pc; }

// The kernel has set the counter back for a system call that is to be restarted, and left it behind one that ends with
// EINTR.
inline bool frame_in_system_call(const ucontext_t& u) noexcept {
  constexpr std::uint32_t k_svc_0 = 0xd400'0001;
  const auto* pc = reinterpret_cast<const std::uint32_t*>(frame_pc(u));
  return std::memcmp(pc, &k_svc_0, 4) == 0 || std::memcmp(pc - 1, &k_svc_0, 4) == 0;
}

// The instruction is next: the call was not made yet, or is to be made again. The number is in x8 either way.
inline bool frame_at_system_call(const ucontext_t& u) noexcept {
  constexpr std::uint32_t k_svc_0 = 0xd400'0001;
  return std::memcmp(reinterpret_cast<const void*>(frame_pc(u)), &k_svc_0, 4) == 0;
}
inline long frame_system_call(const ucontext_t& u) noexcept { return static_cast<long>(u.uc_mcontext.regs[8]); }
inline long frame_system_call_argument(const ucontext_t& u, int i) noexcept {
  return static_cast<long>(u.uc_mcontext.regs[i]);
}
inline void skip_system_call(ucontext_t& u, long result) noexcept {
  set_frame_pc(u, frame_pc(u) + 4);
  u.uc_mcontext.regs[0] = static_cast<unsigned long long>(result);
}

// Not for code in SME's streaming mode, which would have to be left.
inline void resume_at(ucontext_t& u, std::uintptr_t pc, std::uintptr_t sp) noexcept {
  constexpr unsigned long long k_branch_type = 3 << 10;  // else the new place would be checked for a landing pad
  set_frame_pc(u, pc);
  u.uc_mcontext.sp = sp;
  u.uc_mcontext.pstate &= ~k_branch_type;
}

inline constexpr int k_dwarf_registers = 32;
inline constexpr int k_dwarf_sp = 31;
constexpr bool dwarf_callee_saved(int r) noexcept { return r >= 19 && r <= 29; }

inline void frame_registers(const ucontext_t& u, std::uintptr_t (&out)[k_dwarf_registers]) noexcept {
  for (int i = 0; i < 31; ++i) out[i] = u.uc_mcontext.regs[i];
  out[k_dwarf_sp] = u.uc_mcontext.sp;
}

// Pointer authentication puts a signature above the address's bits.
inline std::uintptr_t plain_code_address(std::uintptr_t a) noexcept {
  register std::uintptr_t x30 asm("x30") = a;
  asm("hint #7" : "+r"(x30));  // xpaclri; a no-op before Armv8.3
  return x30;
}

}  // namespace weft::arch
