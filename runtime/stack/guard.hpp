// The two things stacks ask of madvise: guards below them, and their pages taken back. Both for many ranges in one
// system call, where the kernel can.
//
// Guards are MADV_GUARD_INSTALL's (Linux 6.13): marks in the page tables, so that a slab stays one mapping and a
// million stacks fit the default vm.max_map_count. Older kernels get mprotect(PROT_NONE), at two mappings a stack:
// about 32,000 stacks by default, and a fatal report beyond. WEFT_GUARD=mprotect in the environment, read at the first
// guard, takes that path anywhere.
//
// Rejected: a guard once per slab with a canary in each stack (finds the overflow after the fact); stack probes alone
// (user code need not be compiled for them).
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>

namespace weft::runtime {

enum class guard_kind { undecided, lightweight, mprotect };

// Asks environment and kernel at the first call.
guard_kind guards() noexcept;

// For tests: decides instead of the kernel. `undecided` has it asked again.
void set_guards(guard_kind kind) noexcept;

// At most k_advice_batch ranges, whole pages, in memory of ours.
inline constexpr std::size_t k_advice_batch = 64;
void install_guards(std::span<const iovec> ranges) noexcept;
void discard_pages(std::span<const iovec> ranges) noexcept;

}  // namespace weft::runtime
