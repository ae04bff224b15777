// One processor's timers: the heap under a lock, its earliest time for anybody to read.
//
// Any thread may insert; whoever finds something due runs it, be it the owner, a thief or the last idle worker. Due
// fibers are handed back, never scheduled here.
#pragma once
#include <cstdint>

#include "runtime/base/futex.hpp"
#include "runtime/base/spin_lock.hpp"
#include "runtime/event/timer_heap.hpp"
#include "runtime/event/timer_record.hpp"

namespace weft::runtime {

class timers {
 public:
  // Wakes f's wait of that generation with wait_word::k_timeout at `when`.
  void insert(std::int64_t when, fiber* f, std::uint32_t generation);
  void insert(std::int64_t when, timer_record* r, std::uint32_t generation);

  // k_forever when there is none. Stale entries count, so it may be too early, never too late.
  std::int64_t earliest() const noexcept { return earliest_.load(seq_cst); }
  // Adds what is due by then, stale entries too, until the crowd counts so many.
  void gather(std::int64_t until, int most, timer_crowd&) noexcept;
  // An entry of this heap has become stale.
  void note_stale() noexcept { stale_.fetch_add(1, relaxed); }

  // Takes over what is pending in the other's heap; `here` goes into the records (timer_record::heap).
  void take_all(timers& from, unsigned here);

  void run_due(std::int64_t now, fiber_list& ready);

 private:
  void insert(const timer_entry&);
  void compact();
  static bool stale(const timer_entry&) noexcept;

  spin_lock lock_;  // leaf
  timer_heap heap_;
  atomic<std::uint32_t> stale_{0};
  // seq_cst store on insertion, then the inserter loads when the time keeper will wake (scheduler.hpp); the time keeper
  // stores that and then loads this.
  atomic<std::int64_t> earliest_{k_forever};
};

}  // namespace weft::runtime
