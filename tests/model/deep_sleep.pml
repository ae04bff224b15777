/* The monitor's deep sleep: while a fiber computes, the monitor watches.
 *
 * One processor, which is idle at first. A worker is woken for a fiber that is ready, or for one that somebody else
 * has taken; a thread that lost its processor (detach.hpp) computes without one and gets a signal, sent before, that
 * calls it in. Fibers compute for ever once they run. The monitor goes to sleep whenever it finds all idle, once it
 * has looked for long enough, and of its own does not wake again. Every run ends; at the end the monitor does not
 * sleep beside a busy processor.
 *
 * Memory: what one side stores and the other loads, `monitor_sleeps` and `idle_count`, is seq_cst: interleaving is
 * enough. `preempted_count` is stored with seq_cst, under the lock.
 *
 * @ runtime/sched/monitor.cpp: bool all_idle() noexcept {
 *   s.idle_count.load(seq_cst) != s.active.load(relaxed)                     [ALL_IDLE]
 *   s.preempted_count.load(seq_cst) == 0
 * @ runtime/sched/monitor.cpp: void deep_sleep(std::int64_t idle_since) noexcept {
 *   s.monitor_sleeps.store(true, seq_cst);                                   [monitor]
 *   if (all_idle()
 *   s.monitor_wake.wait(
 *   s.monitor_sleeps.store(false, seq_cst);
 * @ runtime/sched/monitor.cpp: void monitor_needed() noexcept {
 *   s.monitor_sleeps.load(seq_cst)                                           [monitor_needed]
 *   s.monitor_wake.post();
 * @ runtime/sched/switch.cpp: void worker_main(worker* m) noexcept {
 *   find_work(m)                                                             [worker]
 *   monitor_needed();                                                        [monitor_needed]
 * @ runtime/sched/blocked.cpp: worker* regain(worker* m, fiber* self) noexcept {
 *   acquire_idle_processor()
 *   monitor_needed();                                                        [monitor_needed]
 * @ runtime/sched/find_work.cpp: void pass_to_home(worker* m, fiber* f) noexcept {
 *   hand_to(f->home, p);                                                     [worker]
 * @ runtime/sched/preempt.cpp: void begin_turn_again(processor* p, fiber* f) noexcept {
 *   monitor_needed();                                                        [monitor_needed]
 * @ runtime/sched/preempt.cpp: void join_in(worker* m, fiber* f) noexcept {
 *   acquire_idle_processor()                                                 [detached]
 *   begin_turn_again(p, f);                                                  [begin_turn_again]
 *   push_preempted_locked(f, now_ns());
 *   wait_for_processor(m, f);
 * @ runtime/sched/preempt.cpp: void wait_for_processor(worker* m, fiber* f) noexcept {
 *   begin_turn_again(p, f);                                                  [begin_turn_again]
 *
 * ! CALLED_IN_SILENCE who is called in by a signal does not tell the monitor, as it once was
 * ! NO_CALL           a worker that has found work does not tell the monitor
 * ! LATE_STORE        the monitor says that it sleeps once it has looked
 */
bool idle = true;
bool ready, stray = true; /* a fiber in a queue; a wake-up for one that is gone */
bool preempted;           /* the detached thread's fiber waits in the handler */
bool handed;              /* to it */
bool busy;                /* the processor, with a fiber that computes */
bool monitor_sleeps, monitor_wake;

#define ALL_IDLE (idle && !ready && !preempted)

inline monitor_needed() {
  if
  :: monitor_sleeps -> monitor_wake = true
  :: else
  fi
}

proctype worker() {
end_asleep:
  atomic { idle && (ready || stray) -> idle = false; stray = false }
  if
  :: atomic { ready -> ready = false }
#ifndef NO_CALL
    monitor_needed();
#endif
    busy = true
  :: atomic { preempted -> preempted = false; handed = true } goto end_asleep
  :: atomic { !ready && !preempted -> idle = true } goto end_asleep
  fi
}

inline begin_turn_again() {
#ifndef CALLED_IN_SILENCE
  monitor_needed();
#endif
  busy = true
}

proctype detached() {
  atomic {
    if
    :: idle -> idle = false; goto begins
    :: else -> preempted = true /* then no worker lies down until it has been taken */
    fi
  }
end_waits:
  atomic { handed -> handed = false }
begins:
  begin_turn_again()
}

proctype submitter() {
  ready = true
}

proctype monitor() {
  bool rests;
end_watches:
  ALL_IDLE;
#ifdef LATE_STORE
  rests = ALL_IDLE;
  monitor_sleeps = true;
#else
  monitor_sleeps = true;
  rests = ALL_IDLE;
#endif
  if
  :: rests ->
end_sleeps:
    atomic { monitor_wake -> monitor_wake = false }
  :: else
  fi;
  monitor_sleeps = false;
  rests = false;
  goto end_watches
}

init {
  atomic {
    run worker();
    run detached();
    if
    :: run submitter()
    :: skip
    fi;
    run monitor()
  }
  timeout;
  assert(!(busy && monitor_sleeps));
  assert(busy || (idle && !ready && !preempted))
}
