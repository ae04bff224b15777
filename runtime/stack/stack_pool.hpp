// Where fibers' stacks come from and go to: a cache per processor above one depot per size class above the slabs.
//
// Last in, first out all the way down, because a stack used a moment ago is in the caches and has its pages. A fiber
// that never runs needs no stack; one that runs while few others are suspended gets the same few stacks again and
// again.
//
// Rejected: one lock-free list per class (ABA, and a contended line per spawn); unmapping (a page table walk for every
// CPU, and descriptors that others may look at would go).
#pragma once

#include <cstddef>

#include "runtime/stack/slab.hpp"
#include "runtime/stack/stack.hpp"
#include "weft/detail/config.hpp"

extern "C" void __asan_unpoison_memory_region(const volatile void* address, std::size_t size);

namespace weft::runtime {

// One processor's own stacks, of the one size that most fibers have; other sizes go straight to their depot. No lock:
// whoever owns the processor uses it. Two magazines, so that a depot's lock is taken once in k_magazine calls at most,
// whatever the order of takes and gives, and what is handed down is always the colder half.
class stack_cache {
 public:
  static constexpr std::size_t k_magazine = 32;

  explicit stack_cache(std::size_t cached_size = k_default_stack_size) : cached_size_(round_stack_size(cached_size)) {}
  stack_cache(const stack_cache&) = delete;
  stack_cache& operator=(const stack_cache&) = delete;
  ~stack_cache() { flush(); }

  // Changes the size that is cached.
  void serve(std::size_t size);

  // A stack of at least this size. Throws std::system_error where there is no memory for one, std::invalid_argument
  // beyond k_max_stack_size.
  stack* take(std::size_t size) {
    if (size == cached_size_) [[likely]]
      if (stack* s = hot_.pop()) [[likely]]
        return clean(s);
    return take_slowly(size);
  }

  void give(stack* s) noexcept {
    if (s->size != cached_size_ || s->open || hot_.count() == k_magazine) [[unlikely]]
      return give_slowly(s);
    hot_.push(s);
  }

  void flush() noexcept;

 private:
  // What died on this stack left its poison.
  static stack* clean(stack* s) noexcept {
    if constexpr (WEFT_ASAN) __asan_unpoison_memory_region(s->low, static_cast<std::size_t>(s->top - s->low));
    return s;
  }
  stack* take_slowly(std::size_t size);
  void give_slowly(stack* s) noexcept;

  std::size_t cached_size_;
  stack_list hot_;
  stack_list warm_;  // full or empty, but after a refill
};

// Gives the pages of free stacks back to the kernel: of those that lay in the depots since the previous call, or of all
// there. Those in processors' caches are not touched: flush first. Says how many stacks. For the monitor and for the
// end of a run; no lock is held over a system call.
std::size_t trim_stacks(bool all) noexcept;

struct stack_statistics {
  std::size_t mapped;   // ever made
  std::size_t in_use;   // with a fiber, or in a processor's cache
  std::size_t free;     // in the depots
  std::size_t trimmed;  // of those, without pages
};

stack_statistics stack_stats() noexcept;

}  // namespace weft::runtime
