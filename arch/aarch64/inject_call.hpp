// aarch64, Linux: see arch/arch.hpp for the contract.
//
// What the kernel lays down for a signal, from the stack pointer up: siginfo, struct ucontext, which ends with a list
// of records in 4096 reserved bytes, and where these do not suffice a continuation directly above, to which a record of
// the list points.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "arch/aarch64/signal_frame.hpp"

namespace weft::arch {

// Finds what must be changed in a copy; false when a record is there that is not only registers of the fiber's.
struct frame_records {
  unsigned char* vector = nullptr;        // of the vector registers
  unsigned char* continuation = nullptr;  // with the address and the length of the rest

  bool read(unsigned char* list, std::size_t size) noexcept {
    constexpr std::uint32_t k_vector = 0x4650'8001, k_fault = 0x4553'5201, k_scalable = 0x5356'4501,
                            k_more = 0x4558'5401, k_float_mode = 0x4650'4d52, k_overlays = 0x504f'4530,
                            k_matrix = 0x5436'6345, k_matrix_thread = 0x5450'4902;
    for (std::size_t at = 0; at + 8 <= size;) {
      std::uint32_t magic, length;
      std::memcpy(&magic, list + at, sizeof magic);
      std::memcpy(&length, list + at + 4, sizeof length);
      if (magic == 0) return vector != nullptr;
      if (length < 8 || length > size - at) return false;
      unsigned char* const content = list + at + 8;
      at += length;
      if (magic == k_vector) {
        vector = content;
      } else if (magic == k_more) {
        continuation = content;
      } else if (magic == k_scalable) {
        std::uint16_t flags;
        std::memcpy(&flags, content + 2, sizeof flags);
        if ((flags & 1) != 0) return false;  // streaming mode
      } else if (magic == k_matrix) {
        if (length > 16) return false;  // in use
      } else if (magic == k_matrix_thread) {
        std::uint64_t value;
        std::memcpy(&value, content, sizeof value);
        if (value != 0) return false;
      } else if (magic != k_fault && magic != k_float_mode && magic != k_overlays) {
        return false;
      }
    }
    return false;
  }
};

inline void prepare_inject_call() noexcept {}

inline bool inject_call(ucontext_t& u, void (*f)(), std::uintptr_t restorer, std::uintptr_t low) noexcept {
  constexpr std::size_t k_info = sizeof(siginfo_t), k_most = 128 << 10;
  constexpr std::uint32_t k_return[] = {0xd280'1168, 0xd400'0001};  // mov x8, #139; svc #0: rt_sigreturn
  if (restorer % 4 != 0 || std::memcmp(reinterpret_cast<const void*>(restorer), k_return, sizeof k_return) != 0)
    return false;
  auto* const begin = reinterpret_cast<unsigned char*>(&u) - k_info;
  std::size_t size = k_info + sizeof u;
  auto* const list = reinterpret_cast<unsigned char*>(&u.uc_mcontext.__reserved);
  frame_records found;
  if (!found.read(list, sizeof u.uc_mcontext.__reserved)) return false;
  std::uint64_t rest_at = 0;
  if (found.continuation != nullptr) {
    std::uint32_t rest_size;
    std::memcpy(&rest_at, found.continuation, sizeof rest_at);
    std::memcpy(&rest_size, found.continuation + 8, sizeof rest_size);
    const std::uint64_t offset = rest_at - reinterpret_cast<std::uintptr_t>(begin);
    if (offset > k_most || rest_size > k_most) return false;
    size = offset + rest_size > size ? offset + rest_size : size;
  }
  const std::uintptr_t sp = frame_sp(u);
  if (sp < low || sp - low < size + 16) return false;
  const std::uintptr_t frame = (sp - size) & ~std::uintptr_t{15};

  std::memcpy(reinterpret_cast<void*>(frame), begin, size);
  const auto in_copy = [&](const void* original) {
    return reinterpret_cast<unsigned char*>(frame) + (static_cast<const unsigned char*>(original) - begin);
  };
  reinterpret_cast<ucontext_t*>(in_copy(&u))->uc_stack.ss_flags = k_no_such_stack;
  if (found.continuation != nullptr) {
    const std::uint64_t moved = rest_at - reinterpret_cast<std::uintptr_t>(begin) + frame;
    std::memcpy(in_copy(found.continuation), &moved, sizeof moved);
  }

  resume_at(u, reinterpret_cast<std::uintptr_t>(f), frame);
  u.uc_mcontext.regs[30] = restorer;
  std::memset(found.vector + 4, 0, 4);  // the floating-point control register, behind the status
  return true;
}

}  // namespace weft::arch
