/* The time keeper: no timer sleeps for ever.
 *
 * One processor, two workers. A fiber sleeps, then blocks its thread until a timer has fired that a foreign thread
 * sets; meanwhile the monitor hands the processor off. Every run ends; at its end all timers have fired and the fiber
 * has ended.
 *
 * Memory: the three that meet here, a heap's `earliest`, `keeper_until` and `idle_count`, are stored and loaded with
 * seq_cst, so interleaving is enough; the variant EARLY_UNTIL is what weaker ones would allow.
 *
 * A timer is due once the clock has come to its number; the clock may stand still for as long as it likes. Where the
 * keeper finds every processor busy it looks again after 1 ms: here, once something has changed. A turn that lasts
 * with timers due is the monitor's to interrupt: not here, no fiber computes for long.
 *
 * @ runtime/event/timers.cpp: void timers::insert(const timer_entry& e) {
 *   earliest_.store(heap_.top().when, seq_cst);                              [set_timer]
 * @ runtime/event/timers.hpp: std::int64_t earliest() const noexcept {
 *   earliest_.load(seq_cst)                                                  [EARLIEST]
 * @ runtime/sched/scheduler.cpp: void timer_inserted(processor* p, std::int64_t when) noexcept {
 *   s.keeper_until.load(seq_cst);                                            [set_timer]
 *   if (until == 0) wake_one();                                              [wake_one]
 *   if (keeper == nullptr || when >= s.keeper_until.load(relaxed)) return;
 *   s.keeper_until.store(when, seq_cst);
 *   keeper->wake.post();
 * @ runtime/sched/scheduler.cpp: worker* pop_idle_worker() noexcept {
 *   *link == s.time_keeper && (*link)->next_idle != nullptr                  [pop_idle_worker]
 *   s.keeper_until.store(0, seq_cst);
 * @ runtime/sched/scheduler.cpp: void hand_off(processor* p) noexcept {
 *   s.idle_count.fetch_add(1, seq_cst);                                      [hand_off]
 *   p->timers.earliest() != k_forever
 *   wake_one();                                                              [wake_one]
 * @ runtime/sched/find_work.cpp: fiber* look(worker* m) noexcept {
 *   run_due_timers(p, p, now_ns());                                          [run_due]
 *   take_global(p)                                                           [take_global]
 * @ runtime/sched/find_work.cpp: void join_idle_workers(worker* m) noexcept {
 *   if (s.time_keeper == nullptr) {                                          [join]
 *   s.keeper_until.store(k_forever, seq_cst);
 * @ runtime/sched/find_work.cpp: void leave_idle_workers(worker* m) noexcept {
 *   s.keeper_until.store(0, seq_cst);                                        [leave]
 * @ runtime/sched/find_work.cpp: void lie_down_without(worker* m) noexcept {
 *   join_idle_workers(m);                                                    [join]
 *   wake_one();                                                              [wake_one]
 * @ runtime/sched/find_work.cpp: std::int64_t sleep_until(worker* m) noexcept {
 *   std::int64_t earliest = earliest_timer();                                [sleep_until]
 *   if (s.time_keeper != m) return k_forever;
 *   s.keeper_until.store(earliest, seq_cst);
 *   const std::int64_t again = earliest_timer();
 * @ runtime/sched/find_work.cpp: void sleep(worker* m) noexcept {
 *   m->handed.exchange(nullptr, acquire)                                     [asleep]
 *   sleep_until(m);                                                          [sleep_until]
 *   get_up_spinning(m)
 * @ runtime/sched/find_work.cpp: bool get_up_spinning(worker* m) noexcept {
 *   get_up(m)                                                                [get_up]
 *   m->spinning = true;
 * @ runtime/sched/blocked.cpp: worker* regain(worker* m, fiber* self) noexcept {
 *   acquire_idle_processor()                                                 [regain]
 *   m->action = leave_action::global;
 *
 * ! LEFT_ALONE        who sets a timer while nobody keeps the time wakes nobody, as it once was
 * ! NO_SECOND_LOOK    the keeper does not look at the timers again once it has said until when it sleeps
 * ! EARLY_UNTIL       who sets a timer looks at the keeper before others can see the timer
 * ! TIMELESS_HAND_OFF who hands off a processor does not ask for its timers
 * ! KEEPER_FOR_EVER   one who gets up remains the keeper
 */
#define WORKERS 2
#define TIMERS 2 /* the fiber's own, and the foreign thread's, each with its index as its time */
#define NOBODY 9
#define FOREVER 9

bool idle; /* the processor */
bool global_queue; /* the fiber is in it */
byte spinning;
byte keeper = 1;
byte keeper_until = FOREVER;
bool in_idle_list[WORKERS], is_spinning[WORKERS], handed[WORKERS], token[WORKERS];

byte now;
bool pending[TIMERS + 1]; /* in the processor's heap */
bool fired[TIMERS + 1];
byte at; /* how far the fiber has come */
bool lent, ended;

#define EARLIEST (pending[1] -> 1 : (pending[2] -> 2 : FOREVER))

/* Under the lock: the keeper last. */
inline pop_idle_worker() {
  if
  :: in_idle_list[0] && !(in_idle_list[1] && keeper == 0) -> woken = 0
  :: else -> woken = 1
  fi;
  in_idle_list[woken] = false;
  if
  :: woken == keeper ->
    keeper = NOBODY;
    keeper_until = 0
  :: else
  fi
}

inline wake_one() {
  if
  :: !idle
  :: else ->
    if
    :: spinning != 0
    :: else ->
      atomic { /* as in idle.pml */
        if
        :: idle && spinning == 0 && (in_idle_list[0] || in_idle_list[1]) ->
          pop_idle_worker();
          spinning = 1;
          is_spinning[woken] = true;
          idle = false;
          handed[woken] = true;
          token[woken] = true;
          woken = 0
        :: else
        fi
      }
    fi
  fi
}

inline stop_spinning() {
  if
  :: is_spinning[me] ->
    atomic { is_spinning[me] = false; last = (spinning == 1); spinning-- }
    if
    :: last -> last = false; wake_one()
    :: else
    fi
  :: else
  fi
}

inline set_timer(when) {
#ifdef EARLY_UNTIL
  until = keeper_until;
  pending[when] = true;
#else
  pending[when] = true;
  until = keeper_until;
#endif
  if
  :: when >= until ->
#ifndef LEFT_ALONE
    if
    :: until == 0 -> until = 0; wake_one()
    :: else -> until = 0
    fi
#else
    until = 0
#endif
  :: else ->
    until = 0;
    atomic {
        if
      :: keeper == NOBODY || when >= keeper_until
      :: else ->
        keeper_until = when;
        token[keeper] = true /* outside of the lock in the code: a late one is a round more */
      fi
    }
  fi
}

/* Of the one worker whose timers these are. */
inline run_due() {
  atomic {
    if
    :: pending[1] && now >= 1 -> pending[1] = false; fired[1] = true; found = true
    :: else
    fi;
    if
    :: pending[2] && now >= 2 -> pending[2] = false; fired[2] = true
    :: else
    fi
  }
}

inline take_global() {
  atomic {
    if
    :: global_queue -> global_queue = false; found = true
    :: else
    fi
  }
}

inline join() {
  in_idle_list[me] = true;
  if
  :: keeper == NOBODY -> keeper = me; keeper_until = FOREVER
  :: else
  fi
}

inline leave() {
  in_idle_list[me] = false;
#ifndef KEEPER_FOR_EVER
  if
  :: keeper == me -> keeper = NOBODY; keeper_until = 0
  :: else
  fi
#endif
}

inline get_up() {
  atomic {
    if
    :: in_idle_list[me] && idle ->
      idle = false;
      leave();
      up = true
    :: else
    fi
  }
  if
  :: up ->
    up = false;
    atomic { is_spinning[me] = true; spinning++ }
    goto holds
  :: else
  fi
}

inline sleep_until() {
  until = EARLIEST;
  atomic {
    if
    :: keeper != me -> until = FOREVER
    :: else -> keeper_until = until
    fi
  }
#ifndef NO_SECOND_LOOK
  if
  :: keeper == me && EARLIEST < until -> until = EARLIEST
  :: else
  fi
#endif
}

/* Back from the blocking call. */
inline regain() {
  atomic {
    if
    :: lent -> lent = false; goto ends
    :: else
    fi
  }
  atomic {
    if
    :: idle -> idle = false; goto ends
    :: else -> global_queue = true
    fi
  }
  wake_one();
  atomic { join() }
  wake_one();
  goto asleep
}

proctype worker(byte me) {
  bool found, last, up;
  byte until, woken;
  if
  :: me == 0 -> goto begins
  :: else -> goto asleep
  fi;
holds:
  run_due();
  if
  :: found
  :: else -> take_global()
  fi;
  if
  :: found ->
    stop_spinning();
    found = false;
    if
    :: at == 1 -> goto blocks
    :: at == 2 -> goto ends
    fi
  :: else
  fi;
lies_down:
  atomic {
    if
    :: global_queue -> goto holds
    :: else -> skip
    fi;
    idle = true;
    last = is_spinning[me];
    is_spinning[me] = false;
    join()
  }
  if
  :: last -> last = false; spinning--
  :: !last && spinning != 0 -> goto asleep
  :: !last && spinning == 0
  fi;
  if
  :: global_queue -> get_up()
  :: else
  fi;
asleep:
  if
  :: atomic { handed[me] -> handed[me] = false; goto holds }
  :: else
  fi;
  sleep_until();
  if
  :: until <= now ->
    get_up();
end_busy:
    (token[me] || idle || EARLIEST != until)
  :: else ->
end_sleep:
    (token[me] || now >= until)
  fi;
  atomic { token[me] = false; until = 0 }
  goto asleep;
begins: /* the fiber sleeps until 1 */
  at = 1;
  set_timer(1);
  goto holds;
blocks:
  at = 2;
  lent = true;
  fired[2];
  regain();
ends:
  ended = true;
  goto holds
}

proctype foreign() {
  byte until, woken;
  set_timer(2)
}

inline hand_off() {
  atomic { lent -> lent = false }
  idle = true;
  if
#ifndef TIMELESS_HAND_OFF
  :: global_queue || EARLIEST != FOREVER -> wake_one()
#else
  :: global_queue -> wake_one()
#endif
  :: else
  fi
}

proctype monitor() {
  byte woken;
end_watch:
  hand_off()
}

proctype clock() {
  do
  :: now < TIMERS -> now++
  :: else -> break
  od
}

init {
  atomic {
    in_idle_list[1] = true;
    run worker(0);
    run worker(1);
    run foreign();
    run monitor();
    run clock()
  }
  timeout;
  assert(ended && fired[1] && fired[2])
}
