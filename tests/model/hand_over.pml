/* Taking a processor from its worker: the in-runtime mark, `taking`, lent processors, preemption, and the way back.
 *
 * One processor, two workers, two fibers. Worker 0 runs f, g waits in the global queue, worker 1 sleeps. A fiber
 * makes runtime calls, which use the processor, and blocks with and without saying so. Anywhere in its code a signal
 * may strike, and the monitor may take the processor. Every run ends. Checked on the way:
 *   - one worker at a time uses the processor, and it sees what the one before wrote there;
 *   - who uses it holds it from the beginning of the use to the end.
 * At the end both fibers have ended, and the processor is idle.
 *
 * Memory: a worker's stores wait in a buffer of its own. `in` = 1 is relaxed: a later store to the processor may
 * overtake it. `in` = 0 and `lent` are releases: nothing before them may come after them. Whatever locks or exchanges
 * has an empty buffer. The membarrier is the moment in which the buffer of the worker in question is empty; with
 * FENCED there is none, and each side has a fence of its own.
 *
 * How workers are woken is simpler than in the code: the first that sleeps, if there is something to do (idle.pml has
 * the rest). The monitor may do its part once or twice at any time, for no reason.
 *
 * @ runtime/sched/section.cpp: worker* section::mark_here() noexcept {
 *   m->in.store(m->in.load(relaxed) + 1, relaxed);                           [enter]
 * @ runtime/sched/section.hpp: static void guard(worker* m) noexcept {
 *   std::atomic_signal_fence(std::memory_order_seq_cst);
 *   if (m->hold.load(acquire) != 0)
 *   wait_for_taker(m);
 * @ runtime/sched/section.hpp: static void leave(worker* m) noexcept {
 *   m->in.store(m->in.load(relaxed) - 1, release);                           [leave]
 * @ runtime/sched/section.cpp: void section::wait_for_taker(worker* m) noexcept {
 *   full_fence();                                                            [enter]
 *   (m->hold.load(acquire) & worker::k_taking) == 0
 * @ runtime/sched/detach.cpp: bool detach(processor& p, std::uint32_t turn, overstay how) noexcept {
 *   p.owner.load(acquire);                                                   [detach]
 *   m->lent.load(acquire) != nullptr
 *   m->hold.fetch_or(worker::k_taking, seq_cst);
 *   full_fence();
 *   heavy_fence();                                                           [membarrier]
 *   m->in.load(acquire) == 0;
 *   const fiber* const f = m->current.load(relaxed);
 *   outside && m->p == &p && f != nullptr
 *   m->p = nullptr;
 *   m->detached.store(true, relaxed);
 *   m->hold.fetch_and(~worker::k_taking, release);
 *   hand_off(&p);                                                            [hand_off]
 * @ runtime/sched/blocked.cpp: bool enter_blocking() noexcept {
 *   const section in;
 *   m->p == nullptr                                                          [blocks]
 *   m->lent.store(m->p.take(), release);
 * @ runtime/sched/blocked.cpp: void leave_blocking() noexcept {
 *   section in;
 *   if (m == nullptr || m->p != nullptr)                                     [blocks]
 *   resume(m, m->current.load(relaxed))                                      [resume]
 * @ runtime/sched/blocked.cpp: worker* resume(worker* m, fiber* self) noexcept {
 *   m->lent.exchange(nullptr, acq_rel)                                       [resume]
 *   m->detached.store(false, relaxed);
 *   regain(m, self);
 * @ runtime/sched/blocked.cpp: bool retake_blocked(std::int64_t now) noexcept {
 *   p->owner.load(acquire);                                                  [retake]
 *   m->lent.load(relaxed) != p
 *   m->lent.compare_exchange_strong(expected, nullptr, acq_rel, relaxed)
 *   hand_off(p);                                                             [hand_off]
 * @ runtime/sched/preempt.cpp: void on_signal(worker* m, ucontext_t& frame, std::uintptr_t restorer) noexcept {
 *   processor* p = m->p;                                                     [signal]
 *   if (p == nullptr) {
 *   join_in(m, f);                                                           [join_in]
 *   const section in(m);                                                     [enter]
 *   p = m->p;
 *   if (p == nullptr) return;
 *   give_up(m, f, p, why, now)                                               [give_up]
 *   wait_for_processor(m, f);                                                [waits]
 * @ runtime/sched/preempt.cpp: bool give_up(worker* m, fiber* f, processor* p, cause why, std::int64_t now) noexcept {
 *   pop_idle_worker();                                                       [give_up]
 *   f->set_home(m);
 *   m->p = nullptr;
 *   hand_to(next, p);
 * @ runtime/sched/preempt.cpp: void join_in(worker* m, fiber* f) noexcept {
 *   section in(m);                                                           [join_in]
 *   if (!m->detached.load(relaxed)) return;
 *   m->detached.store(false, relaxed);
 *   acquire_idle_processor()
 *   push_preempted_locked(f, now_ns());
 *   full_fence();
 *   wake_one();                                                              [wake_one]
 *   wait_for_processor(m, f);                                                [waits]
 *
 * + FENCED            without membarrier
 * ~ SIGNALS=1         for the search for cycles
 *
 * ! NO_MEMBARRIER     the taker does not make the worker's stores visible
 * ! HOLD_FIRST        the worker looks at `hold` before it sets its mark
 * ! NO_WAIT           the worker does not wait for one who is taking
 * ! NO_LOOK           the taker does not look at the mark
 * ! EARLY_RELEASE     the taker lets go of the worker before it has taken
 * ! WEAK_LEAVE        the mark may be gone before the section's stores are visible
 * ! ANY_PROCESSOR     the taker does not ask whether the worker still holds this processor
 * ! LENT_LOADED       the worker loads and then clears what it lent
 * ! TRUSTED           the handler goes on with the processor that it saw before its section
 */
#ifndef SIGNALS
#define SIGNALS 2
#endif
#define NOBODY 2
#define F 0
#define G 1
#define NONE 2
#define IN 0
#define USES 1
#define LENT 2

/* Of each worker. */
bool in_[2];               /* the mark, as the monitor sees it */
bool taking[2];
bool p[2];                 /* worker::p is the processor */
bool lent[2], detached[2], handed[2];
byte current[2] = NONE;
bool in_idle_list[2], preempted[2]; /* preempted: its fiber waits in the handler */
chan buffer[2] = [4] of { byte, byte };

byte owner = 0;
bool idle;
bool global_queue[2];      /* which fibers are in it */
byte calls[2];             /* that each fiber still makes */
byte uses, uses_seen;      /* of the processor: as they happened, and in memory */
bool used;
byte signals = SIGNALS;

#define WORK (global_queue[F] || global_queue[G] || preempted[0] || preempted[1])

inline enter() {
#ifdef HOLD_FIRST
  if
  :: taking[me] -> !taking[me]
  :: else
  fi;
#endif
  atomic { nfull(buffer[me]) -> buffer[me]!IN, 1 }
#ifndef HOLD_FIRST
#ifndef NO_WAIT
#ifdef FENCED
  empty(buffer[me]);
#endif
  !taking[me]
#endif
#endif
}

inline leave() { atomic { nfull(buffer[me]) -> buffer[me]!IN, 0 } }

/* The new owner is set before it is woken. */
inline hand_to(w) { owner = w; handed[w] = true }

inline wake_one() {
  atomic {
    if
    :: idle && WORK ->
      if
      :: in_idle_list[0] -> idle = false; in_idle_list[0] = false; hand_to(0)
      :: !in_idle_list[0] && in_idle_list[1] -> idle = false; in_idle_list[1] = false; hand_to(1)
      :: !in_idle_list[0] && !in_idle_list[1] && preempted[0] -> idle = false; preempted[0] = false; hand_to(0)
      :: !in_idle_list[0] && !in_idle_list[1] && !preempted[0] && preempted[1] ->
        idle = false; preempted[1] = false; hand_to(1)
      :: else
      fi
    :: else
    fi
  }
}

inline hand_off() {
  owner = NOBODY;
  idle = true;
  wake_one()
}

/* In a section, with the processor. */
inline use() {
  d_step {
    assert(p[me] && !used);
    assert(uses_seen == uses || buffer[me]??[USES, eval(uses)]);
    used = true
  }
  atomic {
    nfull(buffer[me]);
    assert(p[me] && used);
    used = false;
    uses++;
    buffer[me]!USES, uses
  }
}

/* In a section, without a processor. Then goes on, or to sleep with its fiber in the global queue. */
inline resume() {
  empty(buffer[me]);
#ifdef LENT_LOADED
  if
  :: lent[me] -> lent[me] = false; p[me] = true
#else
  if
  :: d_step { lent[me] -> lent[me] = false; p[me] = true }
#endif
  :: else ->
    detached[me] = false;
    atomic {
      if
      :: idle -> idle = false; p[me] = true; owner = me
      :: else -> global_queue[current[me]] = true; current[me] = NONE; goto lies_down_without
      fi
    }
  fi
}

inline waits() {
  atomic { handed[me] -> handed[me] = false; p[me] = true }
}

inline join_in() {
  enter();
  empty(buffer[me]);
  detached[me] = false;
  atomic {
    if
    :: idle -> idle = false; p[me] = true; owner = me
    :: else -> preempted[me] = true
    fi
  }
  if
  :: p[me]
  :: else ->
    wake_one();
    waits()
  fi;
  leave()
}

/* To a worker that sleeps, or whose fiber was preempted before. */
inline give_up() {
  empty(buffer[me]);
  atomic {
    if
    :: in_idle_list[1 - me] -> in_idle_list[1 - me] = false; given = true
    :: preempted[1 - me] -> preempted[1 - me] = false; given = true
    :: else
    fi;
    if
    :: given -> preempted[me] = true
    :: else
    fi
  }
  if
  :: given ->
    given = false;
    p[me] = false;
    atomic { hand_to(1 - me) }
    waits()
  :: else
  fi
}

inline signal() {
  atomic { signals > 0 -> signals-- }
  if
  :: !p[me] ->
    if
    :: detached[me] -> join_in()
    :: else
    fi
  :: else ->
    enter();
    if
#ifdef TRUSTED
    :: true -> give_up()
#else
    :: p[me] -> give_up()
    :: else
#endif
    fi;
    leave()
  fi
}

inline call() {
  calls[current[me]]--;
  enter();
  if
  :: p[me]
  :: else -> resume()
  fi;
  use();
  leave()
}

inline blocks() {
  calls[current[me]]--;
  if
  :: p[me] ->
    enter();
    atomic { nfull(buffer[me]) -> buffer[me]!LENT, p[me]; p[me] = false }
    leave()
  :: else
  fi;
  if
  :: p[me]
  :: else ->
    enter();
    resume();
    leave()
  fi
}

proctype worker(byte me) {
  bool given;
  if
  :: me == 0 -> goto runs
  :: else -> goto asleep
  fi;
runs: /* the fiber's code */
  if
  :: calls[current[me]] > 0 -> call(); goto runs
  :: calls[current[me]] > 0 -> blocks(); goto runs
  :: signal(); goto runs
  :: calls[current[me]] == 0
  fi;
  /* It ends. */
  enter();
  if
  :: p[me]
  :: else -> resume()
  fi;
  use();
  atomic { current[me] = NONE; empty(buffer[me]) }
looks: /* on the worker's own stack, in the section */
  atomic {
    if
    :: global_queue[F] -> global_queue[F] = false; current[me] = F; goto begins
    :: global_queue[G] -> global_queue[G] = false; current[me] = G; goto begins
    :: !global_queue[F] && !global_queue[G] && preempted[1 - me] ->
      preempted[1 - me] = false;
      p[me] = false;
      hand_to(1 - me);
      goto lies_down_without
    :: else -> owner = NOBODY; p[me] = false; idle = true; in_idle_list[me] = true; goto asleep
    fi
  }
lies_down_without:
  wake_one();
  in_idle_list[me] = true;
  wake_one();
asleep:
end_asleep:
  waits();
  goto looks;
begins:
  leave();
  goto runs
}

inline membarrier() {
#ifndef NO_MEMBARRIER
#ifndef FENCED
  empty(buffer[m])
#else
  skip
#endif
#else
  skip
#endif
}

inline detach() {
  m = owner;
  if
  :: m == NOBODY
  :: m != NOBODY && lent[m]
  :: m != NOBODY && !lent[m] ->
    taking[m] = true;
    membarrier();
#ifdef NO_LOOK
    take = true;
#else
    take = !in_[m];
#endif
#ifndef ANY_PROCESSOR
    take = (take && p[m]);
#endif
    take = (take && current[m] != NONE);
#ifdef EARLY_RELEASE
    taking[m] = false;
#endif
    if
    :: take -> p[m] = false; detached[m] = true
    :: else
    fi;
    taking[m] = false;
    if
    :: take -> take = false; hand_off()
    :: else
    fi
  fi
}

inline retake() {
  m = owner;
  if
  :: m == NOBODY
  :: m != NOBODY ->
    if
    :: d_step { lent[m] -> lent[m] = false } hand_off()
    :: else
    fi
  fi
}

proctype monitor() {
  byte m, times;
  bool take;
  do
  :: times < 2 -> times++; detach()
  :: times < 2 -> times++; retake()
  :: break
  od
}

proctype memory(byte w) {
  byte x;
end_empty:
  do
  :: atomic { buffer[w]?IN, x -> in_[w] = x; x = 0 }
  :: atomic { buffer[w]?LENT, x -> lent[w] = x; x = 0 }
  :: atomic { buffer[w]??USES, x -> uses_seen = x; x = 0 } /* past `in` = 1 */
#ifdef WEAK_LEAVE
  :: atomic { buffer[w]??IN, x -> in_[w] = x; x = 0 }
#endif
  od
}

init {
  atomic {
    calls[F] = 2;
    calls[G] = 0;
    current[0] = F;
    p[0] = true;
    global_queue[G] = true;
    in_[1] = true; /* asleep in the section */
    in_idle_list[1] = true;
    run worker(0);
    run worker(1);
    run monitor();
    run memory(0);
    run memory(1)
  }
  timeout;
  assert(calls[F] == 0 && calls[G] == 0 && idle && !used && uses == uses_seen);
  assert(current[0] == NONE && current[1] == NONE)
}
