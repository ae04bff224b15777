// A system call that a flag keeps from happening, without a race.
//
// weft_cancelable_syscall(flag, number, arguments…) gives k_syscall_canceled if *flag is not zero, else makes the call
// and gives what the kernel gives, -4095 to -1 for errors. Between the load of the flag and the kernel lie some
// instructions; whoever sets the flag therefore also sends the thread a signal, whose handler looks where the thread
// was: at an address from weft_cancelable_syscall_begin up to, not including, weft_cancelable_syscall_end, nothing has
// happened yet, and it moves the thread to weft_cancelable_syscall_canceled. That covers a call that blocks, too: with
// SA_RESTART the kernel has set the counter back onto the instruction. At the end the call is over, and what it did
// counts: completed bytes win. Source: musl, src/thread/*/syscall_cp.s.
#pragma once

#include <atomic>
#include <cstdint>

namespace weft::arch {
inline constexpr long k_syscall_canceled = -4096;  // no call gives it; ECANCELED is what some (timerfd's read) do give
}

extern "C" {

[[gnu::visibility("hidden")]] long weft_cancelable_syscall(const std::atomic<std::uint32_t>* flag, long number, long a1,
                                                           long a2, long a3, long a4, long a5, long a6) noexcept;

// Places in code, never called.
[[gnu::visibility("hidden")]] extern const char weft_cancelable_syscall_begin[];
[[gnu::visibility("hidden")]] extern const char weft_cancelable_syscall_end[];
[[gnu::visibility("hidden")]] extern const char weft_cancelable_syscall_canceled[];
}

// The assembly loads it as a word.
static_assert(sizeof(std::atomic<std::uint32_t>) == 4 && std::atomic<std::uint32_t>::is_always_lock_free);
