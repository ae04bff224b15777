// The scheduler's shared state, and making fibers ready.
//
// Work is in a processor's runnext, its ring, or the global queue. Workers without a processor sleep. The rules for not
// losing a wake-up are Go's (runtime/proc.go, "Worker thread parking/unparking"):
//   submit work: publish it; store-load fence (S); if a processor is idle and nobody spins, wake one worker, spinning
//   lie down: the processor to the idle list; spinning -= 1 if it spun; store-load fence (R); look at all queues again
// Who did not spin looks again only if nobody spins; who hands a processor off looks, too.
// A worker that finds work while it was the last to spin wakes the next one, so that there are always enough. At most
// half of the busy processors' number spin.
//
// One of the idle workers is the time keeper: it sleeps until the earliest timer of any processor. Rejected: a wake-up
// for every ready (the futex costs microseconds, tens of them across cores): filling an empty runnext wakes nobody when
// the filler has the habit of parking soon, and the monitor catches the exceptions.
#pragma once
#include <climits>
#include <cstdint>
#include <memory>

#include "runtime/base/no_destroy.hpp"
#include "runtime/base/spin_lock.hpp"
#include "runtime/sched/global_queue.hpp"
#include "runtime/sched/options.hpp"
#include "runtime/sched/processor.hpp"
#include "runtime/sched/processor_table.hpp"
#include "runtime/sched/worker.hpp"

namespace weft::runtime {

enum class run_phase : std::uint8_t { stopped, running, draining, ending, stopping };

inline constexpr unsigned k_unowned = UINT_MAX - 1;  // instead of a processor's index: scheduler::unowned

struct scheduler {
  options config{};
  timers unowned;  // set while no runtime runs: the next run takes them over
  processor_table processors;
  atomic<std::uint32_t> active{0}, wanted{0};  // of these, and how many there are to be: resize.hpp. Written under lock
  atomic<bool> alone{false};                   // one is active: no thieves
  atomic<run_phase> phase{run_phase::stopped};

  spin_lock lock;  // rank: below channels and contexts, above timers
  global_queue global;
  processor* idle_processors = nullptr;
  processor* resting_processors = nullptr;  // not active. Linked by next_idle
  std::uint32_t retiring = 0;               // about to rest, and still active
  fiber* resizer = nullptr;                 // waits until no more are active than wanted
  std::uint32_t resizer_generation = 0;
  worker* idle_workers = nullptr;
  worker* time_keeper = nullptr;
  atomic<worker*> watcher{nullptr};  // sleeps in the poller: polling.hpp. Written under lock
  bool watch_wanted = false;         // under lock: also with all processors busy
  atomic<bool> poller_asked{false};  // since the monitor last looked
  atomic<std::uint32_t> global_size{0};
  // Fibers that were interrupted in a long turn; each has a home, but for those that left their thread
  // (migratable.hpp). They come after all others, and the monitor sees to it that they come at all.
  fiber_list preempted;
  atomic<std::uint32_t> preempted_count{0};
  atomic<std::int64_t> preempted_since{0};  // when one was last taken, or the first came; about
  atomic<bool> preempted_starve{false};
  atomic<std::uint32_t> long_turns{0};  // processors with k_long_turn
  atomic<std::uint32_t> idle_count{0};  // of processors
  atomic<std::uint32_t> spinning{0};
  // How many spinners in a row have looked on for nothing, and how many have spared themselves that: find_work.cpp.
  atomic<int> lingers_in_vain{0};
  atomic<std::uint32_t> lingers_spared{0};
  // Of the timers, the first that the time keeper waits for, by itself or with a crowd that follows close behind;
  // k_forever when it sleeps for good, 0 when there is none (then somebody is awake).
  atomic<std::int64_t> keeper_until{0};

  atomic<worker*> all_workers{nullptr};   // written under lock; only grows within a run
  worker* retired_workers = nullptr;      // under lock: their threads have ended. Linked by next_idle
  std::uint32_t idle_worker_count = 0;    // under lock
  atomic<std::uint32_t> worker_count{0};  // with a thread
  atomic<std::uint32_t> blocked_workers{0};

  atomic<std::uint64_t> foreign_started{0};
  atomic<std::uint64_t> next_id{1};
  // About now, to 10 ms: read by whoever reads the clock anyway.
  atomic<std::int64_t> coarse_clock{0};
  // Counts ends of fibers while a run is being drained; whoever drains sleeps on it.
  atomic<std::uint32_t> ended_epoch{0};
  // Threads that sleep here are told of by the monitor.
  note monitor_wake;
  note spawner_wake;
  atomic<std::uint32_t> starting_workers{0};  // not yet in the idle list for the first time
  // When the monitor looks next: what is due before that, behind busy processors, it must be told. k_forever: nothing.
  atomic<std::int64_t> monitor_until{0};
  atomic<bool> monitor_sleeps{false};

  // Threads that are not ours and are inside the runtime, and whether they may come in (foreign_visit).
  atomic<std::uint32_t> visitors{0};
  atomic<bool> closed{true};

  bool running() const noexcept { return phase.load(acquire) != run_phase::stopped; }
  // Fibers that have begun to exist and not ended. Never too low while none is being spawned by a foreign thread.
  std::int64_t live() const noexcept;
};

extern constinit no_destroy<scheduler> the_scheduler;
inline scheduler& sched() noexcept { return the_scheduler.value; }

// Held by a foreign thread while it touches processors, workers or queues, so that the run does not end under it. Both
// sides are seq_cst: the visitor counts itself and then looks whether the runtime is closed; the end of a run closes it
// and then waits until nobody is inside.
class foreign_visit {
 public:
  explicit foreign_visit(const worker* here) noexcept : foreign_(here == nullptr) {  // nothing to do for our threads
    if (foreign_) sched().visitors.fetch_add(1, seq_cst);
  }
  ~foreign_visit() {
    if (foreign_) sched().visitors.fetch_sub(1, release);
  }
  foreign_visit(const foreign_visit&) = delete;
  foreign_visit& operator=(const foreign_visit&) = delete;
  // False: no runtime runs, or it is about to stop; nothing of it may be touched. (To make a live fiber ready is
  // admissible whenever: no run ends while one lives.)
  bool admitted() const noexcept { return !foreign_ || !sched().closed.load(seq_cst); }

 private:
  bool foreign_;
};

// Makes a fiber ready, or wakes a foreign thread. The caller has the right to: it won the claim (wait_word.hpp). From a
// worker with a processor into its runnext, from anywhere else into the global queue.
void ready(fiber*) noexcept;
void ready(worker* here, fiber*) noexcept;  // in a section of that worker; null: a foreign thread
// Many at once: spread over the processors.
void ready(fiber_list&) noexcept;
// For whoever has many to wake and is not through: those so far go where other processors take them, and begin
// meanwhile. Under no spin lock that they might want.
void hand_out(fiber_list&) noexcept;
inline bool worth_handing_out(const fiber_list& l) noexcept {
  constexpr std::size_t k_many = 2048;  // with fewer, all that they touch is in this CPU's caches: sooner run here
  return l.size() >= k_many && !sched().alone.load(relaxed);
}
// A fiber that has just been made: as ready, but its maker is not expected to park soon.
void ready_new(worker* here, fiber*) noexcept;

// Within the owner's section.
void push_or_spill(processor*,
                   fiber*) noexcept;  // the ring's end; when it is full, half of it goes to the global queue
inline void push_local(processor* p, fiber* f) noexcept {
  if (!p->ring.push(f)) [[unlikely]]
    push_or_spill(p, f);
}
// One to run, and into the ring, which is empty, the rest of a fair share of at most so many.
fiber* take_global(processor*, std::size_t most = run_queue<fiber>::k_capacity / 2) noexcept;
// One that was interrupted: at the head if something is left of its slice. _locked: under the scheduler's lock.
void push_preempted_locked(fiber*, std::int64_t now) noexcept;
void push_preempted(fiber*) noexcept;
fiber* take_preempted() noexcept;
fiber* pop_preempted_at_home() noexcept;  // under the lock: the first that waits on a thread of its own
fiber* take_owed() noexcept;              // a preempted one that has waited long
void push_global(fiber*) noexcept;
// Owner only: puts f, or nothing, where the processor looks first; gives what was there. Where there are no thieves it
// need not be one step, nor a fence: the only processor is the caller's, and so none is idle.
inline fiber* exchange_runnext(processor* p, fiber* f) noexcept {
  if (!sched().alone.load(acquire)) return p->runnext.exchange(f, seq_cst);  // (S) when nothing else follows
  fiber* before = p->runnext.load(relaxed);
  p->runnext.store(f, release);
  return before;
}

inline fiber* next_in_order(processor* p) noexcept {
  if (p->runnext.load(relaxed) != nullptr)
    if (fiber* f = exchange_runnext(p, nullptr)) return f;
  return p->ring.pop(sched().alone.load(acquire));
}

// Null when the processor has nothing. Every 61st turn the global queue comes first, and half a round later the ring:
// two fibers that keep waking one another never leave runnext empty and would starve both.
inline fiber* next_local(processor* p) noexcept {
  p->tick.store(p->tick.load(relaxed) + 1, relaxed);
  if (--p->turns_to_global == 0) [[unlikely]] {
    p->turns_to_global = processor::k_global_interval;
    if (sched().preempted_starve.load(relaxed))
      if (fiber* f = take_owed()) return f;
    if (fiber* f = take_global(p, 1)) return f;  // more would drive out of the ring what has waited there
  } else if (p->turns_to_global == processor::k_global_interval / 2) [[unlikely]] {
    if (fiber* f = p->ring.pop(sched().alone.load(acquire))) return f;
  }
  return next_in_order(p);
}
void run_due_timers(processor* mine, processor* whose, std::int64_t now) noexcept;

// Wakes one sleeping worker with a processor if there is one and nobody spins. (S)
void wake_one() noexcept;
// The same; when every processor is busy, one with a long turn is interrupted. For work that no busy processor owns.
void wake_or_preempt() noexcept;
void stop_spinning(worker*) noexcept;
// Takes an idle processor; null if there is none.
processor* acquire_idle_processor() noexcept;
void take_up(worker*, processor*) noexcept;  // m is the calling thread's worker
// Gives the processor up: to a sleeping worker if there is work, else to the idle list.
void hand_off(processor*) noexcept;
// In any queue.
bool work_anywhere() noexcept;
// Gives it to a worker that waits for it.
void hand_to(worker*, processor*) noexcept;
// Under the lock. The time keeper last: another one would have to take its place. Null: there is none.
worker* pop_idle_worker() noexcept;
// There should be a thread that sleeps, ready to take a processor over.
void want_spare_worker() noexcept;
// After a timer was inserted into p's heap: whoever would look too late is told.
void timer_inserted(processor* p, std::int64_t when) noexcept;

}  // namespace weft::runtime
