/* Park, ready, cancel: one word decides who ends a wait.
 *
 * A fiber waits twice. First in a select: in two queues, with a sender at each, under a timer, open to its context's
 * cancel. Then in one more wait, in the second queue alone, that is quiet or open. The timer's entry is never taken
 * out, so it may fire in the second wait; the canceller comes at any time. The one who makes the fiber ready need not
 * be on its worker. Every run ends. Checked on the way:
 *   - one ready per wait, after the registers were saved and the value has arrived;
 *   - the committer, a sender and a loser touch the fiber's frame (its wait nodes) only while it is there;
 *   - a wait that reports cancellation or the timer has consumed nothing; one that reports a queue has its value;
 *   - only the timer of this wait ends it.
 * At the end the fiber has ended, or waits where nobody who came could have ended it: not claimed, not flagged if
 * open.
 *
 * Memory: the word changes by read-modify-writes, whose order all agree on, with acquire and release for the
 * registers and the value: there interleaving is enough. Except prepare(), a seq_cst store, with a seq_cst load of
 * the flag behind it: the store goes through a buffer here, which seq_cst empties (variant WEAK_PREPARE: it does
 * not). The nodes, the queues and the moves are under the queues' locks.
 *
 * @ runtime/fiber/wait_word.hpp: std::uint32_t prepare(wait_mode mode) noexcept {
 *   k_preparing, seq_cst);                                                   [prepare]
 * @ runtime/fiber/wait_word.hpp: bool abandon() noexcept {
 *   word_.compare_exchange_strong(seen, (seen & ~k_state) | k_idle           [abandon]
 * @ runtime/fiber/wait_word.hpp: commit_result commit() noexcept {
 *   word_.compare_exchange_strong(seen, (seen & ~k_state) | k_armed          [commit]
 *   (word_.fetch_or(k_saved, acq_rel) & k_transferred) != 0                  [saved]
 * @ runtime/fiber/wait_word.hpp: wait_mode least = wait_mode::quiet) noexcept {
 *   seen >> k_generation_shift != generation                                 [claim]
 *   mode_of(seen) < least
 *   (whole ? k_transferred : 0)
 *   word_.compare_exchange_weak(seen, woken, acq_rel, acquire)
 * @ runtime/fiber/wait_word.hpp: claim_result claim_current(std::uint32_t why, wait_mode least) noexcept {
 *   word_.load(seq_cst)                                                      [canceller]
 * @ runtime/fiber/wait_word.hpp: bool transferred(claim_result from) noexcept {
 *   (word_.fetch_or(k_transferred, acq_rel) & k_saved) != 0                  [transferred]
 * @ runtime/fiber/wait_word.hpp: bool woken_already() const noexcept {
 *   (seen & k_state) == k_woken && (seen & k_transferred) != 0               [park]
 * @ runtime/sched/park.cpp: begun_wait begin_wait(fiber* self, wait_mode mode) noexcept {
 *   self->word.prepare(mode);                                                [prepare]
 *   self->cancel.load(seq_cst);                                              [begin]
 *   self->word.abandon();                                                    [abandon]
 * @ runtime/sched/park.cpp: std::uint32_t park(section& in, fiber* self, wait_reason reason) noexcept {
 *   self->word.woken_already()                                               [park]
 *   switch_away(in.here(), self, leave_action::park)                         [end_switched]
 * @ runtime/sched/park.cpp: void cancel_fiber(fiber* f, std::uint32_t flag, fiber_list& into) noexcept {
 *   f->cancel.fetch_or(flag, seq_cst);                                       [canceller]
 *   f->word.claim_current(wait_word::k_canceled, least);                     [claim]
 *   if (c == claim_result::from_armed) into.push_back(f);                    [ready]
 * @ runtime/sched/switch.cpp: void complete(worker* m) noexcept {
 *   if (f->word.commit() == wait_word::commit_result::runs) ready(m, f);     [committer]
 * @ runtime/event/timers.cpp: void timers::run_due(std::int64_t now, fiber_list& ready) {
 *   f->word.claim(e.generation, wait_word::k_timeout, true);                 [timer]
 *   if (c == claim_result::from_armed) ready.push_back(f);
 * @ runtime/sync/channel_core.cpp: bool claim_first(wait_nodes& queue, transfer& t) noexcept {
 *   dequeue(queue)                                                           [sender]
 *   t.claim = claim(n->waiter, n->generation, n->tag);                       [claim]
 *   if (t.claim == claim_result::lost) continue;
 * @ runtime/sync/channel_core.cpp: void end_send(channel_core& c, void* from, transfer& t) noexcept {
 *   c.type->move(t.peer->payload, from);                                     [moves]
 *   end_bytes(in.here(), t);                                                 [transferred]
 * @ runtime/sync/select.cpp: int wait(section& in, fiber* self, bool unflagged) noexcept {
 *   scope.begin(self, generation)                                            [begin]
 *   enqueue(queue(at), n);                                                   [enqueue]
 *   unlock_all();
 *   park(in, self, wait_reason::select);                                     [park]
 *   const std::lock_guard hold(channel(at)->lock);                           [leave]
 *   leave(queue(at), nodes_[i]);
 *
 * ! READY_UNSAVED     who claims from `preparing` makes the fiber ready without waiting for `saved`
 * ! READY_UNMOVED     the committer makes a claimed fiber ready without waiting for `transferred`
 * ! SKIP_UNMOVED      park() returns at once from a claimed wait, transferred or not
 * ! FLAG_FIRST        the flag is loaded before `preparing` is stored
 * ! WEAK_PREPARE      `preparing` may become visible after the flag is loaded
 * ! WORD_FIRST        cancel looks at the word before it sets the flag
 * ! NO_GENERATION     a waker claims whatever wait is current
 * ! NO_CAS            a waker looks at the word and then stores it
 * ! NO_MODE           cancel takes quiet waits, too
 * ! NO_LEAVE          the woken fiber goes on without passing the queues' locks
 * ! MOVE_FIRST        a sender moves its value before it claims
 */
mtype = { idle, preparing, armed, woken };
mtype = { lost, from_preparing, from_armed };
mtype = { none, queue0, queue1, timeout_, canceled }; /* why */

#define GONE 0 /* no wait */

/* The word. */
mtype state = idle;
byte generation;
bool open, transferred_, saved_;
mtype why = none;

bool flag;          /* fiber::cancel */
bool buffered;      /* prepare()'s store is not visible yet */
bool lock0, lock1;
bool queued0, queued1;
byte node1;         /* the generation that the node in queue 1 holds; queue 0's is 1 */
bool timer_set;
byte frame;         /* the wait whose nodes are on the fiber's stack */
bool value;         /* it has arrived in that frame */
bool registers;     /* they are saved */
bool left;          /* for its worker to commit */
bool committing;    /* between its steps */
bool runnable, ended;

/* Reads and changes the word in one step: c = the outcome. */
inline claim(g, least_open, reason, whole) {
#ifdef NO_CAS
  if
  :: generation == g && !buffered && (state == preparing || state == armed) && (open || !least_open) ->
    c = (state == armed -> from_armed : from_preparing);
    d_step { state = woken; why = reason; transferred_ = whole }
  :: else -> c = lost
  fi
#else
  d_step {
    if
#ifdef NO_GENERATION
    :: (state == preparing || state == armed) && !buffered && (open || !least_open) ->
#else
#ifdef NO_MODE
    :: generation == g && !buffered && (state == preparing || state == armed) ->
#else
    :: generation == g && !buffered && (state == preparing || state == armed) && (open || !least_open) ->
#endif
#endif
      c = (state == armed -> from_armed : from_preparing);
      state = woken;
      why = reason;
      transferred_ = whole
    :: else -> c = lost
    fi
  }
#endif
}

/* By whoever has won, or the committer. */
inline ready() {
  d_step {
    assert(registers);
    assert(!runnable);
    runnable = true
  }
}

/* A claim with nothing to transfer. */
inline wake() {
  if
  :: c == from_armed -> ready()
#ifdef READY_UNSAVED
  :: c == from_preparing -> ready()
#endif
  :: else
  fi
}

inline transferred() {
  if
  :: c == from_armed -> ready()
  :: else ->
    d_step { last = saved_; transferred_ = true }
    if
#ifdef READY_UNSAVED
    :: true -> ready()
#else
    :: last -> ready()
    :: else
#endif
    fi
  fi
}

/* The fiber begins its wait g. Under the queues' locks. */
inline prepare(g, is_open) {
  d_step {
    assert(!runnable);
    generation = g;
    state = preparing;
    open = is_open;
    transferred_ = false;
    saved_ = false;
    why = none;
    buffered = true;
    frame = g;
    value = false
  }
#ifndef WEAK_PREPARE
  !buffered
#endif
}

inline abandon() {
  d_step {
    if
    :: state == preparing -> state = idle
    :: else -> assert(state == woken && why == canceled && transferred_)
    fi
  }
}

inline begin(g, is_open) {
#ifdef FLAG_FIRST
  seen = flag;
  prepare(g, is_open);
#else
  prepare(g, is_open);
  seen = flag;
#endif
  if
  :: seen && is_open -> !buffered; abandon(); stop = true
  :: else
  fi;
  seen = false
}

/* Until somebody has made the fiber ready, or without a switch. */
inline park() {
  if
#ifdef SKIP_UNMOVED
  :: d_step { state == woken -> skip }
#else
  :: d_step { state == woken && transferred_ -> skip }
#endif
  :: else ->
    d_step { registers = true; left = true }
end_waits:
    atomic { runnable -> assert(!committing && !left); runnable = false; registers = false }
  fi
}

inline lock_both() {
  atomic { !lock0 -> lock0 = true }
  atomic { !lock1 -> lock1 = true }
}

proctype fiber() {
  bool seen, stop;
  lock_both();
  begin(1, true);
  if
  :: stop -> lock0 = false; lock1 = false
  :: else ->
enqueue:
    d_step { queued0 = true; queued1 = true; node1 = 1 }
    !buffered; /* the lock's release comes behind it */
    lock0 = false;
    lock1 = false;
    timer_set = true;
    park();
    assert(why == queue0 || why == queue1 || why == timeout_ || why == canceled);
leave:
#ifndef NO_LEAVE
    lock_both();
    d_step { queued0 = false; queued1 = false }
    lock0 = false;
    lock1 = false;
#endif
    assert(value == (why == queue0 || why == queue1));
    assert(why != canceled || flag)
  fi;
  d_step { frame = GONE; stop = false }
  /* The second wait. */
  atomic { !lock1 -> lock1 = true }
  if
  :: begin(2, true)
  :: begin(2, false)
  fi;
  if
  :: stop -> lock1 = false
  :: else ->
    d_step { queued1 = true; node1 = 2 }
    !buffered;
    lock1 = false;
    park();
    atomic { !lock1 -> lock1 = true }
    queued1 = false;
    lock1 = false;
    assert(why == queue1 || why == canceled);
    assert(value == (why == queue1));
    assert(why != canceled || open)
  fi;
  d_step { frame = GONE; ended = true }
}

/* On the worker that the fiber has left: once for each switch. */
proctype committer() {
  bool last;
end_switched:
  atomic { left -> left = false; committing = true }
commit:
  if
  :: d_step { !buffered && state == preparing -> state = armed; committing = false }
    goto end_switched
  :: else
  fi;
  !buffered;
saved:
  d_step { last = transferred_; saved_ = true; committing = false }
  if
#ifdef READY_UNMOVED
  :: true -> ready()
#else
  :: last -> last = false; ready()
  :: else
#endif
  fi;
  goto end_switched
}

proctype sender(bool which) {
  mtype c = lost;
  bool last;
  byte g;
  if
  :: which -> atomic { !lock1 -> lock1 = true }
  :: else -> atomic { !lock0 -> lock0 = true }
  fi;
  if
  :: d_step { which && queued1 -> queued1 = false; g = node1; assert(frame == g) }
  :: d_step { !which && queued0 -> queued0 = false; g = 1; assert(frame == g) }
  :: else -> goto unlocks
  fi;
#ifdef MOVE_FIRST
  value = true;
#endif
  if
  :: which -> claim(g, false, queue1, false)
  :: else -> claim(g, false, queue0, false)
  fi;
unlocks:
  if
  :: which -> lock1 = false
  :: else -> lock0 = false
  fi;
  if
  :: c == lost -> goto goes
  :: else
  fi;
moves:
  d_step {
    assert(frame == g);
    assert(!runnable);
    value = true
  }
  transferred();
goes:
  skip
}

proctype timer() {
  mtype c;
end_unset:
  timer_set;
  claim(1, false, timeout_, true);
  wake()
}

proctype canceller() {
  mtype c;
  byte g;
#ifdef WORD_FIRST
  g = generation;
  flag = true;
#else
  flag = true;
  g = (buffered -> generation - 1 : generation); /* not visible: the one before */
#endif
  claim(g, true, canceled, true);
  wake()
}

proctype memory() {
end_empty:
  do
  :: buffered -> buffered = false
  od
}

init {
  atomic {
    run fiber();
    run committer();
    run sender(false);
    run sender(true);
    run timer();
    run canceller();
    run memory()
  }
  timeout;
  assert(ended || (state == armed && generation == 2 && !(flag && open)))
}
