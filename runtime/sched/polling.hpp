// How the scheduler asks the poller.
//
// Whoever looks for work asks in passing. When a processor is idle, one of the sleeping workers, the watcher, sleeps in
// the poller instead of on its note; it is the time keeper as well, so that one thread waits for all that may come.
//
// Invariant: while descriptors are watched and a processor is idle, either there is a watcher, or a thread is awake
// that will look for work before it sleeps.
//   a worker lies down:        in the idle list, under the lock; in begin_watch, under the lock: with descriptors, an
//                              idle processor and no watcher it becomes the watcher
//   the first descriptor:      counted, seq_cst; then, under the lock: with an idle processor and no watcher the time
//                              keeper's note is posted
//     If the worker read the count too early, it was in the list before the lock was taken here, and is found. If it
//     joined later, it sees the count.
//   a processor becomes idle without its worker (hand_off): a worker is woken, as for work
//   the watcher gets up:       as a spinner, and the last spinner that finds work wakes another worker
//   the watcher is taken out:  as a spinner, the same; else it calls another when it has left the poller
//
// Only the watcher itself ends its watch, once it has left the poller, not whoever takes it out of the idle list. So no
// two sleep in there: the interrupt is for whoever sleeps, and another would take it from the one it is meant for.
//     worker A, the watcher         another                          worker C
//     sleeps in the poller
//                                   takes A out, hands it a
//                                   processor; interrupts
//                                                                    is the watcher now; its sleep takes the interrupt
//     sleeps on, and the processor
//     with it
//
// With all processors busy nobody sleeps in the poller: each event would cost a busy server a thread's wake-up. The
// monitor looks if no worker has for a while; and where turns last it calls a sleeping worker to watch, so that what
// comes behind a loop is seen at once.
#pragma once
#include <cstdint>

#include "runtime/event/poller.hpp"
#include "runtime/sched/scheduler.hpp"

namespace weft::runtime {

// In a section, by a worker with a processor, if descriptors are watched: whom an event has woken goes into its ring.
void ask_poller(processor*) noexcept;

// A worker in the idle list. True: it is the watcher now, until end_watch.
bool begin_watch(worker*) noexcept;
void end_watch(worker*) noexcept;

// poller::add, and whoever has to know of it is told. 0, or the system's error.
int watch_descriptor(descriptor&) noexcept;

// The monitor: looks if nobody has for long; calls a watcher if every turn lasts, or one is missing (handed a processor
// between its watch and its getting up, by a preemption).
void look_at_descriptors(std::int64_t now, bool turns_last) noexcept;

}  // namespace weft::runtime
