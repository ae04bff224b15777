// Whether a fiber may be stopped where a signal found it.
//
// Code in libc, the loader, the language's runtime and the allocator holds locks that others need soon, so a fiber is
// not stopped there (a frame further down in them does no harm: whoever waits for its locks loses the processor, and
// the fiber gets one in turn). Code of no loaded object counts as the user's.
#pragma once
#include <ucontext.h>

#include <cstdint>

#include "runtime/fiber/fiber.hpp"

namespace weft::runtime {

// Async-signal-safe: _dl_find_object takes no lock, and the names it leads to stand as long as the code.
bool in_user_code(std::uintptr_t pc) noexcept;

// The 64 signals that the kernel knows; glibc's sigset_t has room for 1024.
bool same_mask(const sigset_t& a, const sigset_t& b) noexcept;

enum class stop_point : std::uint8_t { safe, unsafe, in_kernel };

// `mask`: what the thread blocks when it runs fibers. Another one means that a handler of the user's is further down,
// perhaps in the middle of malloc.
stop_point stop_point_at(const ucontext_t& frame, const fiber& running, const sigset_t& mask) noexcept;

}  // namespace weft::runtime
