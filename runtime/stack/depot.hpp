// All free stacks of one size class, and the slab from which more are made.
//
// Free stacks lie in four piles by age: given since the last trim, since the one before, waiting to be trimmed,
// trimmed. Takers go through them in that order, so that the pages in use stay few; a trim moves whole piles one place
// down, so that it takes no time under the lock and every stack in the second pile has truly lain idle from one trim to
// the next.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/base/cache_line.hpp"
#include "runtime/base/spin_lock.hpp"
#include "runtime/stack/slab.hpp"
#include "runtime/stack/stack.hpp"

namespace weft::runtime {

class alignas(k_cache_line) depot {
 public:
  // At least one, at most `most`. Throws std::system_error where there is no memory.
  stack_list take(std::size_t size, std::size_t most);
  void give(stack_list& stacks) noexcept;
  std::size_t trim(bool all) noexcept;

  struct counts {
    std::size_t carved, free, trimmed;
  };
  counts count() noexcept;

 private:
  enum age : std::uint8_t { fresh, old, cold, trimmed, k_ages };
  // A new fiber waits for its stack's guard and for those of the others made with it, about 1 us each.
  static constexpr std::uint32_t k_carved_at_once = 16;

  stack_list take_free(std::size_t most) noexcept;
  stack_list carve(std::size_t size, std::size_t most);
  stack_list carve_locked(std::size_t most) noexcept;

  spin_lock lock_;  // a leaf: nothing is locked, called or allocated under it
  std::array<stack_list, k_ages> piles_;
  std::size_t being_trimmed_ = 0;
  std::size_t carved_ = 0;
  slab* slab_ = nullptr;    // the newest
  std::uint32_t used_ = 0;  // of its stacks
};

// The depot of a size that round_stack_size gave.
depot& depot_of(std::size_t size) noexcept;

}  // namespace weft::runtime
