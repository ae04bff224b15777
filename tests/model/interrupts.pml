/* Cancelling what runs: the signal comes until what may be cut short has been.
 *
 * A fiber opens a record that heeds a flag, runs in it code which only a signal at a safe place can end, opens and
 * closes within it a second record that heeds nothing, and may change its worker on the way. Another thread cancels.
 * A signal may strike between any two steps of the fiber's, at a place that is safe or not, or when something else
 * runs, and one may be lost. Every run ends. Checked on the way: the handler never takes one record for the other. At
 * the end the fiber has been cut short.
 *
 * Memory: `heeded`, `heeds_on`, the flag and `asked` are stored and loaded with seq_cst: interleaving is enough; the
 * variants FLAG_FIRST and HEEDED_FIRST are what weaker ones would allow. `current` is stored before `heeds_on` by the
 * same thread, and whoever misses it is asked again. Between the fiber and the handler on its thread there are only
 * compiler fences: a handler sees its own thread's stores in order.
 *
 * Time: a signal strikes at an unsafe place twice at most, and the monitor sends another once the last has struck or
 * is lost.
 *
 * @ runtime/sched/interrupts.cpp: const atomic<std::uint32_t>* flag) noexcept {
 *   self->heeded.store(nullptr, relaxed);                                    [open]
 *   std::atomic_signal_fence(std::memory_order_seq_cst);
 *   self->interrupts = &r;
 *   std::atomic_signal_fence(std::memory_order_seq_cst);
 *   self->heeds = flag != nullptr;
 *   if (flag == nullptr) return false;
 *   self->heeds_on.store(here, relaxed);                                     [heed]
 *   self->heeded.store(flag, seq_cst);
 *   return flag->load(seq_cst) != 0;
 * @ runtime/sched/interrupts.cpp: void close_interrupts(fiber* self, const interrupt_record& r) noexcept {
 *   self->heeded.store(nullptr, relaxed);                                    [close]
 *   self->interrupts = r.outer;
 *   self->heeds = before != nullptr;
 *   self->heeds_on.store(in.here(), relaxed);                                [heed]
 *   self->heeded.store(before, seq_cst);
 *   if (before->load(seq_cst) != 0) ask_for_interrupts();
 * @ runtime/sched/interrupts.cpp: void ask_for_interrupts() noexcept {
 *   asked.store(true, seq_cst);                                              [ask]
 *   sched().monitor_wake.post();
 * @ runtime/sched/interrupts.cpp: void interrupt_fiber(fiber* f) noexcept {
 *   f->heeded.load(seq_cst);                                                 [canceller]
 *   f->heeds_on.load(seq_cst);
 *   if (m->current.load(relaxed) == f) send_preempt_signal(view_of(m));      [send]
 *   ask_for_interrupts();                                                    [ask]
 * @ runtime/sched/interrupts.cpp: void follow_interrupts_slow(worker* m, fiber* f) noexcept {
 *   f->heeds_on.store(m, seq_cst);                                           [turns]
 *   flag->load(seq_cst) != 0
 *   ask_for_interrupts();                                                    [ask]
 * @ runtime/sched/switch.cpp: void begin_turn(worker* m, fiber* f) noexcept {
 *   m->current.store(f, relaxed);                                            [turns]
 *   follow_interrupts(m, f);
 * @ runtime/sched/interrupts.cpp: std::int64_t repeat_interrupts(std::int64_t now) noexcept {
 *   asked.exchange(false, seq_cst)                                           [monitor]
 *   repeating.active = signal_all();                                         [signal_all]
 * @ runtime/sched/interrupts.cpp: bool signal_all() noexcept {
 *   m->current.load(acquire);                                                [signal_all]
 *   f->heeded.load(acquire);
 *   flag->load(acquire) == 0
 *   m->signalled.store(false, relaxed);
 *   send_preempt_signal(view_of(m));                                         [send]
 * @ runtime/sched/park.cpp: void cancel_fiber(fiber* f, std::uint32_t flag, fiber_list& into) noexcept {
 *   f->cancel.fetch_or(flag, seq_cst);                                       [canceller]
 *   interrupt_fiber(f);
 * @ runtime/event/interrupt.cpp: bool interrupt_running(
 *   f.heeded.load(acquire);                                                  [strike]
 *   flag == nullptr || flag->load(acquire) == 0
 *   *f.interrupts;
 * @ runtime/event/preempt_signal.cpp: void send_preempt_signal(worker_view& m) noexcept {
 *   m.signalled.exchange(true, acq_rel)                                      [send]
 *
 * ~ UNSAFE=1          for the search for cycles
 *
 * ! FLAG_FIRST        the flag is loaded before it is said to be heeded
 * ! HEEDED_FIRST      cancel looks at what is heeded before it sets the flag
 * ! NO_REPEAT         the cancel sends a signal, and nobody sends another
 * ! NO_FOLLOW         a fiber that gets a turn does not ask anew
 * ! LATE_CLEAR        the monitor forgets that it was asked after it has looked
 * ! NO_ASK_AT_CLOSE   the flag is not loaded when the outer record is heeded again
 * ! RECORD_FIRST      the second record is there before the first is heeded no more
 * ! SIGNALLED_STAYS   the monitor takes a lost signal for one that is on its way
 */
#define OUTER 1
#define INNER 2
#define NOBODY 2
#ifndef UNSAFE
#define UNSAFE 2 /* strikes */
#endif
#define LOSSES 1

bool flag;
bool heeded, heeds;     /* fiber::heeded is the flag or null */
byte heeds_on;
byte record;            /* fiber::interrupts; 0: none */
byte runs_on;           /* whose `current` the fiber is */
bool pending[2], signalled[2]; /* a signal to that worker */
bool asked, monitor_wake;
bool cut, ended;
byte unsafe, losses;

inline send(w) {
  atomic {
    if
    :: !signalled[w] -> signalled[w] = true; pending[w] = true
    :: else
    fi
  }
}

inline ask() {
  asked = true;
  monitor_wake = true
}

/* Where a signal may strike the fiber; `safe`: where it may be cut short. */
inline strike(safe) {
  pending[runs_on] = false;
  signalled[runs_on] = false;
  if
  :: heeded && flag ->
    assert(record == OUTER);
    cut = safe
  :: else
  fi
}
inline point() {
  if
  :: atomic { pending[runs_on] && unsafe < UNSAFE -> unsafe++; strike(false) }
  :: skip
  fi
}

inline heed() {
  heeds_on = runs_on;
  point();
#ifdef FLAG_FIRST
  seen = flag;
  point();
  heeded = true;
  point();
#else
  heeded = true;
  point();
  seen = flag;
#endif
  if
  :: seen -> seen = false; ask()
  :: else
  fi
}

inline open(r) {
#ifdef RECORD_FIRST
  record = r;
  point();
  heeded = false;
  point();
#else
  heeded = false;
  point();
  record = r;
  point();
#endif
  heeds = (r == OUTER)
}

inline close(outer) {
  heeded = false;
  point();
  record = outer;
  point();
  heeds = (outer == OUTER)
}

/* Leaves its turn, and gets one on either worker. In the runtime: no signal does anything. */
inline turns() {
  runs_on = NOBODY;
  if
  :: runs_on = 0
  :: runs_on = 1
  fi;
#ifndef NO_FOLLOW
  if
  :: heeds ->
    heeds_on = runs_on;
    if
    :: heeded && flag -> ask()
    :: else
    fi
  :: else
  fi
#endif
}

proctype fiber() {
  bool seen;
  open(OUTER);
  heed();
  point();
  if
  :: turns()
  :: skip
  fi;
  point();
  open(INNER);
  point();
  if
  :: turns()
  :: skip
  fi;
  close(OUTER);
  point();
#ifdef NO_ASK_AT_CLOSE
  heeds_on = runs_on;
  heeded = true;
#else
  heed();
#endif
  point();
  if
  :: turns()
  :: skip
  fi;
  /* A computation that is not left but by a signal. */
  do
  :: cut -> break
  :: atomic { !cut && pending[runs_on] -> strike(true) }
  od;
  close(0);
  ended = true
}

proctype canceller() {
  byte m;
  bool seen;
#ifdef HEEDED_FIRST
  seen = heeded;
  flag = true;
#else
  flag = true;
  seen = heeded;
#endif
  if
  :: seen ->
    m = heeds_on;
    if
    :: runs_on == m -> send(m)
    :: else
    fi;
    ask()
  :: else
  fi
}

inline signal_all() {
  repeats = false;
  m = runs_on;
  if
  :: m == NOBODY
  :: else ->
    if
    :: heeded && flag ->
      repeats = true;
#ifndef SIGNALLED_STAYS
      signalled[m] = false;
#endif
      send(m)
    :: else
    fi
  fi;
  m = 0
}

proctype monitor() {
  byte m;
  bool repeats, was;
end_watch:
#ifdef NO_REPEAT
  false
#else
  do
  :: atomic { monitor_wake -> monitor_wake = false }
#ifdef LATE_CLEAR
    was = asked;
    if
    :: was || repeats -> signal_all()
    :: else
    fi;
    asked = false;
    was = false
#else
    atomic { was = asked; asked = false }
    if
    :: was || repeats -> was = false; signal_all()
    :: else
    fi
#endif
  :: repeats && !monitor_wake && runs_on != NOBODY && !pending[runs_on] -> signal_all()
  od
#endif
}

/* Signals that strike something else, and one that gets lost. */
proctype elsewhere() {
end_nothing:
  do
  :: atomic { pending[0] && runs_on != 0 -> pending[0] = false; signalled[0] = false }
  :: atomic { pending[1] && runs_on != 1 -> pending[1] = false; signalled[1] = false }
  :: atomic { pending[0] && losses < LOSSES -> losses++; pending[0] = false }
  :: atomic { pending[1] && losses < LOSSES -> losses++; pending[1] = false }
  od
}

init {
  atomic {
    run fiber();
    run canceller();
    run monitor();
    run elsewhere()
  }
  timeout;
  assert(ended)
}
