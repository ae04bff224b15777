// x86-64, Linux: see arch/arch.hpp for the contract.
//
// What the kernel lays down for a signal, from the stack pointer up: the address to return to, struct ucontext, and
// above them, where the context's fpregs points, the state of the vector units as XSAVE writes it. rt_sigreturn reads
// no more than that.
#pragma once

#include <cpuid.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "arch/x86_64/signal_frame.hpp"

namespace weft::arch {

// How long the state of the vector units is, the closing magic number included.
inline std::size_t vector_state_size(const unsigned char* state) noexcept {
  constexpr std::size_t k_legacy = 512, k_magic_at = 464, k_size_at = 468;
  constexpr std::uint32_t k_magic = 0x4650'5853;  // FP_XSTATE_MAGIC1
  std::uint32_t magic, size;
  std::memcpy(&magic, state + k_magic_at, sizeof magic);
  std::memcpy(&size, state + k_size_at, sizeof size);
  return magic == k_magic ? size : k_legacy;
}

inline bool has_tiles() noexcept {
  static const bool found = [] {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & 1U << 24) != 0;
  }();
  return found;
}

inline void prepare_inject_call() noexcept { static_cast<void>(has_tiles()); }

// Whether the process may use state that threads get only when they first touch it: AMX's tiles. From then on frames of
// different threads differ in size, and the kernel drops the vector registers of one that is not as its thread's are.
inline bool has_state_on_demand() noexcept {
  if (!has_tiles()) return false;
  constexpr long k_get_permissions = 0x1022;  // ARCH_GET_XCOMP_PERM
  std::uint64_t permitted = 0;
  return ::syscall(SYS_arch_prctl, k_get_permissions, &permitted) == 0 && (permitted & 1U << 18) != 0;
}

inline bool inject_call(ucontext_t& u, void (*f)(), std::uintptr_t restorer, std::uintptr_t low) noexcept {
  constexpr std::size_t k_red_zone = 128, k_vector_alignment = 64;
  constexpr std::size_t k_context = offsetof(ucontext_t, uc_sigmask) + 8;  // the kernel's struct ends with 64 signals
  constexpr std::size_t k_most = 64 << 10;
  auto* const state = reinterpret_cast<unsigned char*>(u.uc_mcontext.fpregs);
  const std::size_t size = state == nullptr ? 0 : vector_state_size(state);
  const std::uintptr_t sp = frame_sp(u);
  std::uintptr_t kernels;
  std::memcpy(&kernels, reinterpret_cast<const unsigned char*>(&u) - sizeof kernels, sizeof kernels);
  if (restorer != kernels || has_state_on_demand()) return false;
  if (size == 0 || size > k_most || sp < low || sp - low < k_red_zone + size + k_context + 2 * k_vector_alignment)
    return false;
  const std::uintptr_t state_at = (sp - k_red_zone - size) & ~(k_vector_alignment - 1);
  const std::uintptr_t frame = ((state_at - k_context) & ~std::uintptr_t{15}) - 8;  // as a call would leave it
  if (frame < low) return false;

  auto* const copy = reinterpret_cast<ucontext_t*>(frame + 8);
  std::memcpy(reinterpret_cast<void*>(state_at), state, size);
  std::memcpy(static_cast<void*>(copy), &u, k_context);
  std::memcpy(reinterpret_cast<void*>(frame), &restorer, sizeof restorer);
  copy->uc_mcontext.fpregs = reinterpret_cast<fpregset_t>(state_at);
  copy->uc_stack.ss_flags = k_no_such_stack;

  resume_at(u, reinterpret_cast<std::uintptr_t>(f), frame);
  constexpr greg_t k_direction = 0x400;
  u.uc_mcontext.gregs[REG_EFL] &= ~k_direction;
  // The x87 unit and the control words as a program finds them at its start.
  constexpr std::uint16_t k_x87_control = 0x37f;
  constexpr std::uint32_t k_mxcsr = 0x1f80;
  std::memset(state, 0, 6);  // control, status and tag words
  std::memcpy(state, &k_x87_control, sizeof k_x87_control);
  std::memcpy(state + 24, &k_mxcsr, sizeof k_mxcsr);
  return true;
}

}  // namespace weft::arch
