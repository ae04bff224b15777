// x86-64, Linux: see arch/arch.hpp for the contract.
//
// What the kernel lays down for a signal, from the stack pointer up: the address to return to, struct ucontext, and
// above them, where the context's fpregs points, the state of the vector units as XSAVE writes it. rt_sigreturn reads
// no more than that.
#pragma once

#include <signal.h>
#include <ucontext.h>

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

inline bool inject_call(ucontext_t& u, void (*f)(), std::uintptr_t restorer, std::uintptr_t low) noexcept {
  constexpr std::size_t k_red_zone = 128, k_vector_alignment = 64;
  constexpr std::size_t k_context = offsetof(ucontext_t, uc_sigmask) + 8;  // the kernel's struct ends with 64 signals
  constexpr std::size_t k_most = 64 << 10;
  auto* const state = reinterpret_cast<unsigned char*>(u.uc_mcontext.fpregs);
  const std::size_t size = state == nullptr ? 0 : vector_state_size(state);
  const std::uintptr_t sp = frame_sp(u);
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
