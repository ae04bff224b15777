// Operations on the wait_list that the public primitives hold: lock it, queue in it, wake from it.
#pragma once
#include <mutex>

#include "runtime/base/spin_lock.hpp"
#include "runtime/fiber/wait_node.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/wait_scope.hpp"
#include "weft/detail/wait_list.hpp"

namespace weft::runtime {

// A waiter taken out and claimed, to be made ready by finish(); null: there was none.
struct claimed_waiter {
  fiber* waiter = nullptr;
  claim_result claim = claim_result::lost;
};

// The list's lock, with the in-runtime mark. Rank: above contexts, as a channel's.
class locked_list {
 public:
  explicit locked_list(detail::wait_list& l) noexcept : list_(l) { lock(); }
  ~locked_list() {
    if (locked_) unlock();
  }
  locked_list(const locked_list&) = delete;
  locked_list& operator=(const locked_list&) = delete;

  void lock() noexcept;
  void unlock() noexcept;

  worker* here() const noexcept { return mark_.here(); }
  bool empty() const noexcept { return list_.head == nullptr; }
  void push_back(wait_node&) noexcept;
  void remove(wait_node&) noexcept;  // if it is still in
  wait_node* pop_front() noexcept;

  // Claims and wakes the first that can be; false if there was none. The lock is held throughout.
  bool wake_first(std::uint32_t why) noexcept;
  void wake_all(std::uint32_t why) noexcept;
  // The first half of wake_first, for a waker that must not touch the list once the waiter runs.
  claimed_waiter claim_first(std::uint32_t why) noexcept;

  // The whole wait of the current fiber: queues, unlocks, parks. Then the lock is free. Gives the reason, or
  // k_canceled.
  std::uint32_t wait(fiber* self, wait_scope&, wait_reason) noexcept;
  // The same with a node of the caller's, of which its wakers read more.
  std::uint32_t wait(fiber* self, wait_scope&, wait_reason, wait_node&) noexcept;

 private:
  detail::wait_list& list_;
  section mark_;
  bool locked_ = false;
};

}  // namespace weft::runtime
