// What is due when: a 4-ary min-heap of (when, target, generation). A plain structure; whoever owns it locks it.
//
// Deletion is lazy. An entry names a target in type-stable memory and the generation it was set for; a target that has
// moved on makes the entry stale, and stale entries are dropped when they come to the top, or all at once when the
// owner finds too many (compact).
#pragma once
#include <cstddef>
#include <cstdint>

#include "runtime/base/mapped_array.hpp"

namespace weft::runtime {

struct timer_entry {
  std::int64_t when;
  std::uintptr_t target;  // a fiber to wake, or (bit 0 set) a timer record
  std::uint32_t generation;
};

class timer_heap {
 public:
  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  const timer_entry& top() const noexcept { return entries_[0]; }

  void push(const timer_entry& e) {
    entries_.push_back(e);
    rise(entries_.size() - 1);
  }
  void pop() noexcept {
    entries_[0] = entries_[entries_.size() - 1];
    entries_.pop_back();
    if (!entries_.empty()) sink(0);
  }
  // How many are due by then; counts no further than `most`.
  int count_until(std::int64_t when, int most) const noexcept { return count_until(when, most, 0); }
  // Drops every entry for which stale(entry) holds, in linear time.
  template <class Stale>
  void compact(Stale stale) {
    entries_.erase_if(stale);
    if (entries_.size() > 1)
      for (std::size_t i = (entries_.size() - 2) / k_arity + 1; i-- > 0;) sink(i);
  }

 private:
  static constexpr std::size_t k_arity = 4;

  int count_until(std::int64_t when, int most, std::size_t i) const noexcept {
    if (most <= 0 || i >= entries_.size() || entries_[i].when > when) return 0;
    int n = 1;
    for (std::size_t c = i * k_arity + 1; c <= (i + 1) * k_arity && n < most; ++c) n += count_until(when, most - n, c);
    return n;
  }
  void rise(std::size_t i) noexcept {
    const timer_entry e = entries_[i];
    while (i > 0) {
      const std::size_t parent = (i - 1) / k_arity;
      if (entries_[parent].when <= e.when) break;
      entries_[i] = entries_[parent];
      i = parent;
    }
    entries_[i] = e;
  }
  void sink(std::size_t i) noexcept {
    const timer_entry e = entries_[i];
    for (;;) {
      const std::size_t first = i * k_arity + 1;
      if (first >= entries_.size()) break;
      const std::size_t end = first + k_arity < entries_.size() ? first + k_arity : entries_.size();
      std::size_t least = first;
      for (std::size_t c = first + 1; c < end; ++c)
        if (entries_[c].when < entries_[least].when) least = c;
      if (entries_[least].when >= e.when) break;
      entries_[i] = entries_[least];
      i = least;
    }
    entries_[i] = e;
  }

  mapped_array<timer_entry> entries_;
};

}  // namespace weft::runtime
