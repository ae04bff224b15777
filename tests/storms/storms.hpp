// Storms: what the stress tests put one after the other on each number of processors, and the soak all at once for as
// long as it is told.
//
// Each is called in a fiber of a run and returns when it is over. It counts and compares, tells `e` what did not hold,
// and leaves nothing behind. `seed` starts its random sequences; how its fibers meet is the scheduler's.
#pragma once
#include <atomic>
#include <cstdint>

#include "tests/support/support.hpp"

namespace test::storm {

// Every number that is sent is received once.
void many_to_many(expect& e, int capacity, int senders, int receivers, long each);
void fibers_and_threads(expect& e, long each);
void selects(expect& e, int capacity, long each, std::uint64_t seed);

// Sender, timer and cancel go for the same waiter. Whoever wins, nothing is lost, doubled, or consumed by a wait that
// reports cancellation.
enum class wait_by { receive, select, bound_receive };
struct race_result {
  std::uint64_t received = 0;
  long cancelled = 0, timed_out = 0;
};
race_result race_waits(expect& e, wait_by how, long lanes, long waits, std::uint64_t seed);
// One lane, which two threads that are no workers cancel.
void race_foreign_cancels(expect& e, long waits, std::uint64_t seed);
// A mutex whose waiters give up is never lost and never held twice.
void mutex_deadlines(expect& e, long each, std::uint64_t seed);

// Contexts made under one parent, all there at the same time, and ended by others than made them, in this order and
// way: none stays in the parent's list.
enum class order { creation, reverse, random };
enum class ending { called, dropped, context_first, released, fired, mixed };
void contexts_come_and_go(expect& e, const weft::context& parent, long n, order in, ending how);

// What a shared_mutex guards; whoever writes or reads, with the lock that it takes, notices who should not be there.
struct guarded {
  weft::shared_mutex m;
  std::atomic<int> readers{0};
  std::atomic<int> writers{0};
  long plain = 0;  // read and written under the lock

  void write(expect& e);
  long read(expect& e);
};

// Locks, by fibers and threads, some of which give up: exclusion holds, counters add up, no unit is lost or made.
void semaphore_units(expect& e, long each, std::uint64_t seed);
void readers_and_writers(expect& e, long each, std::uint64_t seed);
void bounded_queue(expect& e, long each);

// Timers made, stopped, reset and fired at random: none fires after stop, none is missed, none is early.
void timers(expect& e, long each, std::uint64_t seed);

// A tree of all, race, each and within, of which some fail and some run out of time: no child is left.
enum class tree_end { value, exception, timeout, cancel };
tree_end tree_of_calls(expect& e, std::uint64_t seed);
// More askers than a group has places, some of which are cancelled: every go has started a member or thrown.
void group_places(expect& e, std::uint64_t seed);

// Nested handlers that yield: each fiber sees its own exceptions.
void nested_exceptions(expect& e, long fibers, long rounds);
// Each of them unwinds through its own frames when it is cancelled, parked or not.
void cancelled_frames(expect& e, int fibers);

// Long computations, each with errno, a thread, an exception and all registers of its own.
void preempted_computations(expect& e, int fibers, long rounds, std::uint64_t seed);
// Loops within interruptible that are cancelled: their value is right, or they were left.
void interrupted_loops(expect& e, long count, std::uint64_t seed);
// Reads that block their thread undeclared, by many at a time.
void undeclared_reads(expect& e, std::size_t pairs, long rounds);

// Streams in both directions under cancels and deadlines: no byte is lost, doubled or moved.
void streams(expect& e, std::uint64_t size, std::uint64_t seed);
void streams_of_threads(expect& e, std::uint64_t size, std::uint64_t seed);
// Connections that fibers and a thread close at random points: every wait on them ends.
void closed_connections(expect& e, long rounds, std::uint64_t seed);
// Dials and accepts that are cancelled lose no connection.
void cancelled_dials(expect& e, long rounds, std::uint64_t seed);

}  // namespace test::storm
