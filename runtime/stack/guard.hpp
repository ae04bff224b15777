// The two things stacks ask of madvise: guards below them, and their pages taken back. Both for many ranges in one
// system call, where the kernel can.
//
// Guards are MADV_GUARD_INSTALL's (Linux 6.13): marks in the page tables, so that a slab stays one mapping and a
// million stacks fit the default vm.max_map_count. Older kernels get mprotect(PROT_NONE), at two mappings a stack.
// WEFT_GUARD=mprotect in the environment, read at the first guard, takes that path anywhere.
//
// Of that limit, 65530 by default, a part is left to the rest of the process: its malloc maps memory too. So about
// 28,000 stacks are guarded on an older kernel, and further ones are open: the k_guard_size bytes below them are plain
// memory that nobody uses. An overflow goes there unseen and is found when the fiber ends, by the pages that have come
// into being.
//
// Rejected: a fatal report at the limit (100,000 fibers are nothing unusual); a canary in each stack (it costs a page);
// stack probes alone (user code need not be compiled for them).
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
// Gives how many are guarded, counted from the first.
std::size_t install_guards(std::span<const iovec> ranges) noexcept;
void discard_pages(std::span<const iovec> ranges) noexcept;

// Whether something was written there, in a range of at most k_guard_size that was fresh.
bool has_pages(const iovec& range) noexcept;

}  // namespace weft::runtime
