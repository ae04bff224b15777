// The poller: which descriptors have become readable or writable. It hands back those who waited for them and never
// schedules.
//
// What an implementation must give (epoll.cpp is the one there is):
// 1. A descriptor is watched for both directions from add to remove, by edge: each change is told once, to one caller
//    of poll or sleep, and kept until somebody calls.
// 2. poll may be called by any number of threads at a time. sleep is one thread's at a time; what happens while it
//    sleeps ends the sleep, unless a poll elsewhere was faster.
// 3. interrupt ends the sleep, whether it has begun or is about to, and no poll takes that away.
// 4. Nothing is opened before the first add; what was opened then stays, closed on exec.
// All may be called in the runtime and in a section: nothing allocates by malloc, or takes a lock that user code holds.
#pragma once
#include <cstdint>
#include <mutex>

#include "runtime/base/mapped_array.hpp"
#include "runtime/event/descriptor.hpp"

namespace weft::runtime {

class poller {
 public:
  // Watches d.fd, which does not block, as the bearer of d.sequence. 0, or the system's error. Whoever still waited for
  // an earlier owner of the number, closed behind our back, is woken into `woken`.
  int add(descriptor& d, fiber_list& woken) noexcept;
  // Before the descriptor is closed, or passes to somebody else.
  void remove(descriptor& d) noexcept;
  // Tells anew what is ready now. 0, or the system's error.
  int rearm(descriptor& d) noexcept;

  // How many are watched: one relaxed load tells whether there is anything to ask.
  std::uint32_t watched() const noexcept { return watched_.load(relaxed); }
  // Of who has just counted a processor as idle: either it sees the first descriptor, or who adds that sees the
  // processor.
  bool any_watched() const noexcept { return watched_.load(seq_cst) != 0; }
  // Who waits for what has happened: to be made ready.
  void poll(fiber_list& ready) noexcept;
  // The same; blocks until something has happened, or until that time, or an interrupt.
  void sleep(std::int64_t until, fiber_list& ready) noexcept;
  void interrupt() noexcept;

  // Whether a fiber or thread waits for any descriptor. Takes the locks of all.
  bool anyone_waits() noexcept;
  // Wakes them all with k_look_again.
  void wake_all(fiber_list& ready) noexcept;

  // Visits the descriptor watched under that number, if there is one, with the table locked.
  template <class Visit>
  void visit(int fd, Visit v) noexcept {
    const std::lock_guard hold(table_lock_);
    if (descriptor* d = at_locked(fd)) v(*d);
  }

 private:
  int open_locked() noexcept;
  void see_added() const noexcept;
  descriptor* at_locked(int fd) noexcept {
    const auto i = static_cast<std::size_t>(fd);
    return fd >= 0 && i < table_.size() ? table_[i] : nullptr;
  }
  template <class Visit>
  void visit_all(Visit v) noexcept;

  spin_lock table_lock_;  // rank: above a descriptor's
  mapped_array<descriptor*> table_;
  atomic<std::uint32_t> watched_{0};
  atomic<int> epoll_{-1};
  atomic<int> event_{-1};
};

poller& the_poller() noexcept;

}  // namespace weft::runtime
