/* Submitting work against going to sleep: no submission sleeps for ever.
 *
 * Worker 0 runs a fiber that makes two others ready, then computes and never comes back to the runtime; those two
 * compute for ever as well. A foreign thread makes a third ready, which soon ends. A processor whose worker blocks is
 * handed off by the monitor. Every run of this model ends, and at its end no fiber waits beside an idle processor.
 * The monitor's habit of waking somebody for work that it sees waiting is left out: the protocol must do without.
 *
 * Memory: the ring's push is a release store, so it may wait in a store buffer while later loads go ahead; the fence
 * (S) waits until the buffer is empty. All else that is read without the lock is written by read-modify-writes. That
 * the looks behind (R) may not go ahead of it is the variant EARLY_RELOOK: the rings are loaded with acquire only, so
 * the code has a fence there.
 *
 * What is done under the lock is one step. Only start_spinning_worker writes two things there that others read
 * without it; whoever reads `spinning` before `idle_count` has changed could as well have read `idle_count` before
 * the step.
 *
 * Not here: timers (time_keeper.pml), the monitor's sleep (deep_sleep.pml), workers made anew.
 *
 * @ runtime/sched/scheduler.cpp: void ready(worker* m, fiber* f) noexcept {
 *   push_global(f);                                                          [push_global]
 *   full_fence();
 *   return wake_or_preempt();                                                [wake_one]
 *   exchange_runnext(p, f)                                                   [publish]
 *   sched().idle_count.load(seq_cst) == 0                                    [submitter]
 *   p->wake_owed.store(true, relaxed);
 *   return wake_one();                                                       [wake_one]
 *   push_local(p, kicked);                                                   [publish]
 *   full_fence();                                                            [fence]
 *   wake_one();                                                              [wake_one]
 * @ runtime/sched/scheduler.cpp: void ready_new(worker* m, fiber* f) noexcept {
 *   push_local(p, kicked);                                                   [publish]
 *   full_fence();                                                            [fence]
 *   wake_one();                                                              [wake_one]
 * @ runtime/sched/scheduler.hpp: inline fiber* exchange_runnext(processor* p, fiber* f) noexcept {
 *   p->runnext.exchange(f, seq_cst)                                          [publish]
 * @ runtime/sched/scheduler.cpp: void wake_one() noexcept {
 *   s.idle_count.load(seq_cst) == 0 || s.spinning.load(seq_cst) != 0         [wake_one]
 *   start_spinning_worker();                                                 [start_spinning_worker]
 * @ runtime/sched/scheduler.cpp: void start_spinning_worker() noexcept {
 *   const std::lock_guard hold(s.lock);                                      [start_spinning_worker]
 *   s.spinning.compare_exchange_strong(none, 1, seq_cst)                     [start_spinning_worker]
 *   m->spinning = true;
 *   s.idle_count.fetch_sub(1, seq_cst);
 *   m->handed.store(p, release);
 * @ runtime/sched/scheduler.cpp: void stop_spinning(worker* m) noexcept {
 *   m->spinning = false;                                                     [stop_spinning]
 *   if (sched().spinning.fetch_sub(1, seq_cst) == 1) wake_one();
 * @ runtime/sched/scheduler.cpp: void hand_off(processor* p) noexcept {
 *   s.idle_count.fetch_add(1, seq_cst);                                      [hand_off]
 *   full_fence();
 *   work_anywhere()                                                          [look_again]
 *   wake_one();
 * @ runtime/sched/find_work.cpp: bool may_spin(worker* m) noexcept {
 *   2 * s.spinning.load(relaxed) >= busy                                     [may_spin]
 *   s.spinning.fetch_add(1, seq_cst);
 * @ runtime/sched/find_work.cpp: fiber* look(worker* m) noexcept {
 *   take_global(p)                                                           [take_global]
 *   return may_spin(m) ? spin(p) : nullptr;                                  [may_spin]
 * @ runtime/sched/find_work.cpp: fiber* spin(processor* p) noexcept {
 *   steal(p, by_timer)                                                       [steal]
 * @ runtime/sched/find_work.cpp: rest lie_down(worker* m) noexcept {
 *   const std::lock_guard hold(s.lock);                                      [lie_down]
 *   s.idle_count.fetch_add(1, seq_cst);
 *   std::exchange(m->spinning, false);
 *   join_idle_workers(m);
 * @ runtime/sched/find_work.cpp: bool must_get_up(rest how) noexcept {
 *   s.spinning.fetch_sub(1, seq_cst);                                        [must_get_up]
 *   s.spinning.load(seq_cst) != 0
 *   full_fence();
 *   return work_anywhere();                                                  [look_again]
 * @ runtime/sched/find_work.cpp: fiber* find_work(worker* m) noexcept {
 *   stop_spinning(m);                                                        [stop_spinning]
 *   lie_down(m)                                                              [lie_down]
 *   must_get_up(how) && get_up(m)                                            [get_up]
 *   s.spinning.fetch_add(1, seq_cst);
 * @ runtime/sched/find_work.cpp: bool get_up(worker* m) noexcept {
 *   if (!m->in_idle_list) return false;                                      [get_up]
 *   s.idle_count.fetch_sub(1, seq_cst);
 * @ runtime/sched/monitor.cpp: bool look_at(processor& p, std::int64_t now) noexcept {
 *   p.wake_owed.store(false, relaxed);                                       [monitor]
 *   wake_one();
 *
 * ! NO_FENCE          the submitter does not fence between its push and its look at the idle ones
 * ! LATE_FENCE        it looks at idle_count before the fence, as it once did
 * ! NO_RELOOK         nobody looks again after spinning -= 1
 * ! EARLY_RELOOK      the looks go ahead of spinning -= 1
 * ! SPINNERS_RELOOK   one who could not join the spinning lies down without another look, as it once was
 * ! OWN_HAND_OFF      who hands off a processor looks at its ring alone, as it once was
 * ! NO_CHAIN          the last spinner that finds work wakes nobody
 * ! LATE_UNSPINNING   m->spinning is cleared after the worker has joined the idle ones
 * ! NO_DEBT           the monitor does not make up for the wake-up that a habit saved
 */
#define PROCESSORS 3
#define WORKERS 3 /* 0 never looks for work */
#define FIBERS 3  /* two of worker 0's, one of the foreign thread's */

byte global_queue, ring, runnext, buffered; /* ring, runnext: worker 0's; buffered: pushed, not yet visible */
byte idle_count = 1;                        /* the blocked worker's processor is not among them yet */
byte spinning;
bool wake_owed;
bool in_idle_list[WORKERS];
bool is_spinning[WORKERS]; /* worker::spinning */
bool handed[WORKERS];
byte started;

inline fence() {
#ifndef NO_FENCE
  buffered == 0
#else
  skip
#endif
}

inline start_spinning_worker() {
  atomic {
    if
    :: idle_count != 0 && spinning == 0 && (in_idle_list[1] || in_idle_list[2]) ->
      if
      :: in_idle_list[1] -> woken = 1
      :: else -> woken = 2
      fi;
      in_idle_list[woken] = false;
      spinning = 1;
      is_spinning[woken] = true;
      idle_count--;
      handed[woken] = true;
      woken = 0
    :: else
    fi
  }
}

inline wake_one() {
  if
  :: idle_count == 0
  :: else ->
    if
    :: spinning != 0
    :: else -> start_spinning_worker()
    fi
  fi
}

inline push_global() { global_queue++ }

inline take_global() {
  if
  :: atomic { global_queue != 0 -> global_queue--; found = true; brief = true }
  :: else
  fi
}

inline steal() { /* the ring, then what runs next */
  if
  :: atomic { ring != 0 -> ring--; found = true }
  :: else ->
    if
    :: atomic { runnext != 0 -> runnext = 0; found = true }
    :: else
    fi
  fi
}

inline may_spin() {
  if
  :: is_spinning[me] -> allowed = true
  :: else ->
    busy = PROCESSORS - idle_count;
    if
    :: 2 * spinning >= busy -> busy = 0
    :: else ->
      busy = 0;
      is_spinning[me] = true;
      spinning++;
      allowed = true
    fi
  fi
}

inline stop_spinning() {
  if
  :: is_spinning[me] ->
    is_spinning[me] = false;
    atomic { last = (spinning == 1); spinning-- }
#ifndef NO_CHAIN
    if
    :: last -> last = false; wake_one()
    :: else
    fi
#endif
  :: else
  fi
}

inline lie_down() {
  atomic {
    idle_count++;
    spun = is_spinning[me];
#ifndef LATE_UNSPINNING
    is_spinning[me] = false;
#endif
    in_idle_list[me] = true
  }
}

inline look_again() {
  work = (global_queue != 0);
  work = (work || ring != 0);
  work = (work || runnext != 0)
}

inline must_get_up() {
#ifdef EARLY_RELOOK
  look_again();
#endif
  if
  :: spun -> spinning--
  :: !spun && spinning != 0 -> goto end_sleep /* who spins sees to it */
  :: !spun && spinning == 0
  fi;
#ifdef LATE_UNSPINNING
  is_spinning[me] = false;
#endif
#ifdef SPINNERS_RELOOK
  if
  :: !spun -> goto end_sleep
  :: else
  fi;
#endif
  spun = false;
#ifndef EARLY_RELOOK
#ifndef NO_RELOOK
  look_again()
#endif
#endif
}

inline get_up() {
  work = false;
  atomic {
    if
    :: in_idle_list[me] && idle_count != 0 ->
      idle_count--;
      in_idle_list[me] = false;
      up = true
    :: else
    fi
  }
  if
  :: up ->
    up = false;
    is_spinning[me] = true;
    spinning++;
    goto again
  :: else
  fi
}

proctype worker(byte me) {
  bool found, brief, allowed, last, spun, up, work;
  byte busy, woken;
end_sleep:
  atomic { handed[me] -> handed[me] = false; spun = false }
again:
  take_global();
  if
  :: found
  :: else ->
    may_spin();
    if
    :: allowed ->
      allowed = false;
      steal();
      if
      :: found
      :: else -> take_global()
      fi
    :: else
    fi
  fi;
  if
  :: found ->
    stop_spinning();
    atomic { started++; found = false }
    if
    :: brief -> brief = false; goto again
    :: else -> goto computes
    fi
  :: else
  fi;
  lie_down();
  must_get_up();
  if
  :: work -> get_up()
  :: else
  fi;
  goto end_sleep;
computes:
  skip
}

/* ready(): what was to run next goes to the ring, by a store that is buffered. */
inline publish() {
  atomic { kicked = (runnext != 0); runnext = 1 }
  if
  :: kicked -> buffered++
  :: else
  fi
}

proctype submitter() {
  byte woken, i;
  bool kicked;
  do
  :: i < FIBERS - 1 ->
    i++;
    publish();
    if
    :: kicked ->
#ifdef LATE_FENCE
      if
      :: idle_count == 0
      :: else ->
        fence();
        wake_one()
      fi
#else
      fence();
      wake_one()
#endif
    :: else ->
      if
      :: idle_count == 0
      :: else ->
        wake_owed = true;
        if
        :: wake_one()
        :: skip /* it has the habit of parking soon */
        fi
      fi
    fi
  :: else -> break
  od
}

proctype foreign() {
  byte woken;
  push_global(); /* the lock is a fence, too */
  wake_one()
}

inline hand_off() {
  idle_count++;
#ifdef OWN_HAND_OFF
  work = (global_queue != 0); /* its own ring is empty */
#else
  look_again();
#endif
  if
  :: work -> wake_one()
  :: else
  fi
}

proctype monitor() {
  byte woken;
  bool work;
  hand_off();
end_watch:
#ifdef NO_DEBT
  false
#else
  do
  :: wake_owed && idle_count != 0 ->
    wake_owed = false;
    wake_one()
  od
#endif
}

proctype memory() {
end_empty:
  do
  :: atomic { buffered != 0 -> buffered--; ring++ }
  od
}

init {
  atomic {
    in_idle_list[1] = true;
    in_idle_list[2] = true;
    run worker(1);
    run worker(2);
    run submitter();
    run foreign();
    run monitor();
    run memory()
  }
  timeout;
  /* With no processor idle those that wait must wait until a turn is interrupted. */
  assert(started == FIBERS || idle_count == 0)
}
