// x86-64, Linux: see arch/arch.hpp for the contract.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include <cstdint>
#include <cstring>

namespace weft::arch {

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

}  // namespace weft::arch
