// Changing the number of processors while they run.
//
// All that were ever made stay in scheduler::processors. `active` of them are in force: held by a worker, idle, or
// lent; the others rest, with nothing to run and no timers. While more are active than wanted, each that comes to a
// turn's end or to the idle list retires instead, whichever comes first, but never the first one: it inherits the
// others' timers, and threads without a processor set theirs there. A processor that is busy is made to come to its
// turn's end as one that others wait for, with all means of preempt.hpp and detach.hpp.
//
// Invariants
// 1. Whoever retires a processor owns it: no one else runs, pushes or sets timers on it; thieves may take from it.
// 2. Its work and timers are where others find them before `active` goes down, so that at no moment all looks idle.
// 3. The decision for the idle list or for retirement is made under the lock of the scheduler, and so are changes of
//    `wanted`: no processor that is to go gets into the idle list.
// 4. `alone` lets the one owner of a ring and a runnext take from them without regard to thieves. It is cleared by the
//    one who holds the only active processor, before another becomes idle, and set by whoever retires the last but one.
#pragma once
#include "runtime/sched/scheduler.hpp"

namespace weft::runtime {

// Processors are to go, and this may be one.
inline bool is_surplus(const processor& p) noexcept {
  const scheduler& s = sched();
  return s.active.load(relaxed) > s.wanted.load(relaxed) && p.index != 0;
}

// Under the lock, by p's owner. True: p is to go, and finish_retirement must follow, without the lock.
bool begin_retirement_locked(const processor& p) noexcept;
void finish_retirement(processor*) noexcept;

// Asks those that are busy to come to the end of their turns; the monitor repeats it.
void ask_surplus() noexcept;

// By a fiber; one call at a time. Returns when so many are active; nothing is thrown at it meanwhile. Throws
// std::bad_alloc; then nothing has changed.
void resize(unsigned processors);

}  // namespace weft::runtime
