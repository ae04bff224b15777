// A slab: one mapping that holds many stacks of one size, their descriptors in front.
//
//   | header, descriptors | guard  stack  colour | guard  stack  colour | …
//
// Invariants
// 1. A slab is never unmapped once published, and immutable: stack_of_guard walks all slabs from a signal handler,
// without a lock.
// 2. The distance between stacks is an odd number of pages and tops are shifted by a colour: with tops a power of two
// apart, the hot
//    ends of a thousand stacks would compete for a few sets of the caches.
// 3. A colour takes at most half a page, so that a parked fiber's frames usually still fit in one page.
// 4. Memory is reserved, not committed (MAP_NORESERVE), and never made of huge pages: a parked fiber costs the pages it
// touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/stack/stack.hpp"

namespace weft::runtime {

inline constexpr std::size_t k_colours = 32;
inline constexpr std::size_t k_colour_step = 64;

class slab {
 public:
  // Throws std::system_error where there is no address space. The guards are not in place yet: see guard_stacks.
  static slab* map(std::size_t stack_size);
  // Only for a slab that was not published.
  static void unmap(slab* unused) noexcept;
  // From here on stack_of_guard finds it.
  static void publish(slab* s) noexcept;

  std::uint32_t count() const noexcept { return count_; }
  stack* at(std::uint32_t index) noexcept { return descriptors() + index; }
  const slab* next() const noexcept { return next_; }
  const stack* of_guard(const std::byte* address) const noexcept;

 private:
  slab() = default;
  stack* descriptors() noexcept { return reinterpret_cast<stack*>(this + 1); }
  const stack* descriptors() const noexcept { return reinterpret_cast<const stack*>(this + 1); }

  const slab* next_ = nullptr;
  std::byte* slots_ = nullptr;
  std::size_t stride_ = 0;
  std::size_t mapped_ = 0;
  std::uint32_t count_ = 0;
};

// Those that get no guard are open.
void guard_stacks(const stack_list& stacks) noexcept;
// Whether an open stack has been left at its lower end.
bool has_overflowed(const stack& open) noexcept;
void discard_stacks(const stack_list& stacks) noexcept;

// The stack whose guard holds the address, or null. Async-signal-safe.
const stack* stack_of_guard(const void* address) noexcept;

}  // namespace weft::runtime
