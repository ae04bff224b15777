// A fiber's stack, seen from outside: its descriptor, its size classes, and lists of descriptors.
//
// Invariants
// 1. A descriptor lives in its slab's dense array, never in the stack's own memory, and is never freed: it may be
// looked at for ever.
// 2. top is 64-aligned, low is page-aligned, and [top - size, top) lies inside [low, top).
// 3. The k_guard_size bytes below low fault, but for an open stack's (guard.hpp). One page would not do: a function
// with a large frame steps over it unseen.
#pragma once

#include <cstddef>

namespace weft::runtime {

inline constexpr std::size_t k_min_stack_size = std::size_t{16} << 10;
inline constexpr std::size_t k_max_stack_size = std::size_t{1} << 30;
inline constexpr std::size_t k_default_stack_size = std::size_t{64} << 10;
inline constexpr std::size_t k_guard_size = std::size_t{64} << 10;

struct stack {
  std::byte* top;
  std::byte* low;
  std::size_t size;  // of its class; the colour and the page size may leave a little more
  stack* next;       // belongs to whoever holds the stack
  bool open = false;
};

// The size class: a power of two from k_min_stack_size to k_max_stack_size. Smaller requests are raised, larger ones
// throw std::invalid_argument.
std::size_t round_stack_size(std::size_t requested);

// A LIFO chain that can be cut and joined at its ends.
class stack_list {
 public:
  bool empty() const noexcept { return head_ == nullptr; }
  std::size_t count() const noexcept { return count_; }
  stack* front() const noexcept { return head_; }

  void push(stack* s) noexcept {
    s->next = head_;
    if (head_ == nullptr) tail_ = s;
    head_ = s;
    ++count_;
  }

  stack* pop() noexcept {
    stack* s = head_;
    if (s == nullptr) return nullptr;
    head_ = s->next;
    --count_;
    return s;
  }

  // All of `hotter` goes on top, in its order, and is empty afterwards.
  void join_front(stack_list& hotter) noexcept {
    if (hotter.empty()) return;
    hotter.tail_->next = head_;
    if (head_ == nullptr) tail_ = hotter.tail_;
    head_ = hotter.head_;
    count_ += hotter.count_;
    hotter = {};
  }

  // All of `colder` goes below, in its order, and is empty afterwards.
  void join_back(stack_list& colder) noexcept {
    colder.join_front(*this);
    *this = colder;
    colder = {};
  }

  // The topmost `most`, or all if there are fewer. Walks what it cuts.
  stack_list cut_front(std::size_t most) noexcept {
    stack_list cut;
    if (most == 0) return cut;
    if (count_ <= most) {
      cut = *this;
      *this = {};
      return cut;
    }
    stack* last = head_;
    for (std::size_t i = 1; i < most; ++i) last = last->next;
    cut.head_ = head_;
    cut.tail_ = last;
    cut.count_ = most;
    head_ = last->next;
    last->next = nullptr;
    count_ -= most;
    return cut;
  }

 private:
  stack* head_ = nullptr;
  stack* tail_ = nullptr;  // meaningless while empty
  std::size_t count_ = 0;
};

}  // namespace weft::runtime
