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

struct timer_crowd {
  int count = 0;
  std::int64_t last = INT64_MIN;  // of those counted
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
  // Adds what is due by then to the crowd, until that counts so many.
  void gather(std::int64_t until, int most, timer_crowd& c) const noexcept { gather(until, most, c, 0); }
  // Drops every entry for which stale(entry) holds, in linear time.
  template <class Stale>
  void compact(Stale stale) {
    entries_.erase_if(stale);
    if (entries_.size() > 1)
      for (std::size_t i = (entries_.size() - 2) / k_arity + 1; i-- > 0;) sink(i);
  }

 private:
  static constexpr std::size_t k_arity = 4;

  void gather(std::int64_t until, int most, timer_crowd& c, std::size_t i) const noexcept {
    if (c.count >= most || i >= entries_.size() || entries_[i].when > until) return;
    ++c.count;
    if (entries_[i].when > c.last) c.last = entries_[i].when;
    for (std::size_t child = i * k_arity + 1; child <= (i + 1) * k_arity; ++child) gather(until, most, c, child);
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
