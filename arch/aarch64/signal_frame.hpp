// aarch64, Linux: see arch/arch.hpp for the contract.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include <cstdint>
#include <cstring>

namespace weft::arch {

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

}  // namespace weft::arch
