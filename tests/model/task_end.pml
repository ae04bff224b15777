/* The end of a task against its handle: who waits hears of it, done() is closed once, and what the two share goes once,
 * when neither touches it any more.
 *
 * One fiber ends. The handle's holder asks for done() or not, waits, is cancelled or not, waits again or lets go. Every
 * run ends, and then what they share is gone. Checked on the way: nobody touches it after that; the generation of a wait
 * is not written while the fiber may read it.
 *
 * Memory: the word changes by read-modify-writes with acquire and release and by the fiber's last store, a release; all
 * else is written before one and read after another: interleaving is enough.
 *
 * Not here: how the fiber that waits is run again (park.pml), the task's own context.
 *
 * @ runtime/sync/task_core.cpp: void await_end(const task_core& t) noexcept {
 *   (t.word.load(acquire) & k_ended) != 0                                    [await_end]
 * @ runtime/sync/task_core.cpp: std::uint32_t wait_for_end(
 *   (t.word.load(acquire) & k_ended) != 0) return 0;                         [has_ended]
 *   scope.begin(self, t.generation)                                          [begin]
 *   (seen & (k_ending | k_ended)) != 0                                       [enter]
 *   self->word.abandon();
 *   t.word.compare_exchange_weak(seen, seen | reinterpret_cast<std::uintptr_t>(self)
 *   why = park(in, self, wait_reason::join);                                 [park]
 *   why == wait_word::k_canceled
 *   t.word.compare_exchange_weak(seen, seen & k_bits, relaxed, relaxed)) return why;  [leave]
 *   await_end(t);                                                            [await_end]
 * @ runtime/sync/task_core.cpp: bool end_task(task_core& t) noexcept {
 *   t.word.compare_exchange_strong(seen, k_ended, acq_rel, relaxed)) return true;  [end_unwatched]
 *   seen = t.word.exchange(k_ending, acq_rel);                               [take]
 *   if ((seen & k_channel) != 0) close_over(t);                              [close]
 *   if ((seen & k_let_go) != 0) return false;
 *   waiter->word.claim(t.generation, 0, true);                               [claim]
 *   t.word.store(k_ended, runtime::release);                                 [end]
 *   ready(in.here(), waiter);                                                [make_ready]
 * @ runtime/sync/task_core.cpp: const recv_chan<void>& done_of(task_core& t) {
 *   t.word.fetch_or(k_channel, acq_rel)                                      [ask_for_done]
 *   t.over.core()->closed = true;                                            [close]
 * @ runtime/sync/task_core.cpp: bool let_go_of(task_core& t) noexcept {
 *   t.word.fetch_or(k_let_go, acq_rel);                                      [let_go_of]
 *   (before & (k_ending | k_ended)) == 0) return false;
 *   await_end(t);                                                            [await_end]
 *
 * ! EARLY_LEAVE       a cancelled waiter that was taken does not wait for the end
 * ! EARLY_DELETE      one that was woken does not
 * ! DEAF_DONE         whoever asks for done() does not look whether the task has ended
 * ! LATE_LET_GO       whoever lets go looks first, and says so then
 */
#define IDLE 0
#define PREPARING 1
#define ARMED 2
#define WOKEN 3

/* the word */
bool waiter, channel, ending, ended, gone_handle;
/* the wait word of the holder's fiber */
byte state = IDLE, now_generation;
bool by_cancel, may_run;
/* what they share */
byte generation, closed;
bool reads_generation, asked, gone;

inline touch() { assert(!gone) }

inline delete_it() {
  touch();
  gone = true
}

inline await_end() { atomic { touch(); ended } }

inline close() {
  touch();
  closed++
}

inline ask_for_done() {
  atomic {
    touch();
    asked = true;
    late = ending || ended;
    channel = true
  }
#ifndef DEAF_DONE
  if
  :: late -> close()
  :: else
  fi
#endif
}

inline has_ended() { atomic { touch(); late = ended } }

inline begin() {
  atomic {
    touch();
    assert(!reads_generation);
    now_generation++;
    generation = now_generation;
    state = PREPARING;
    may_run = false;
    by_cancel = false
  }
}

inline enter() {
  atomic {
    touch();
    late = ending || ended;
    waiter = !late
  }
}

inline park() {
  atomic {
    if
    :: state == PREPARING -> state = ARMED
    :: else -> may_run = true /* it was claimed before: it goes on at once */
    fi
  }
  may_run
}

inline leave() {
  atomic {
    touch();
    left = waiter;
    waiter = false
  }
}

inline let_go_of() {
  atomic {
    touch();
    late = ending || ended;
#ifndef LATE_LET_GO
    gone_handle = true
#endif
  }
#ifdef LATE_LET_GO
  gone_handle = !late
#endif
}

proctype holder() {
  bool late, left, holds = true;
  byte waits;
  if
  :: ask_for_done()
  :: true
  fi;
  do
  :: waits < 2 ->
    waits++;
    has_ended();
    if
    :: late -> break
    :: else
    fi;
    begin();
    enter();
    if
    :: late -> state = IDLE
    :: else ->
      park();
      left = false;
      if
      :: by_cancel -> leave()
      :: else
      fi;
      if
      :: left -> goto again
      :: else
      fi;
#ifdef EARLY_LEAVE
      if
      :: by_cancel -> goto again
      :: else
      fi;
#endif
#ifdef EARLY_DELETE
      break
#endif
    fi;
    await_end();
    break;
  again:
    skip
  :: true ->
    let_go_of();
    if
    :: late -> await_end()
    :: else -> holds = false
    fi;
    break
  od;
  if
  :: holds -> delete_it()
  :: else
  fi
}

inline end_unwatched() {
  atomic {
    touch();
    quiet = !waiter && !channel && !gone_handle;
    ended = quiet
  }
}

inline take() {
  atomic {
    touch();
    waits = waiter;
    closes = channel;
    deletes = gone_handle;
    waiter = false;
    ending = true;
    reads_generation = waits && !deletes
  }
}

inline claim() {
  atomic {
    touch();
    reads_generation = false;
    if
    :: (state == PREPARING || state == ARMED) && now_generation == generation ->
      mine = (state == ARMED);
      state = WOKEN
    :: else
    fi
  }
}

inline end() { atomic { touch(); ended = true } }

inline make_ready() { may_run = true }

proctype task() {
  bool quiet, waits, closes, deletes, mine;
  end_unwatched();
  if
  :: quiet -> goto over
  :: else
  fi;
  take();
  if
  :: closes -> close()
  :: else
  fi;
  if
  :: deletes -> delete_it(); goto over
  :: else
  fi;
  if
  :: waits -> claim()
  :: else
  fi;
  end();
  if
  :: mine -> make_ready()
  :: else
  fi;
over:
  skip
}

proctype canceler() {
  bool mine;
  atomic {
    if
    :: state == PREPARING || state == ARMED ->
      mine = (state == ARMED);
      state = WOKEN;
      by_cancel = true
    :: else
    fi
  }
  if
  :: mine -> may_run = true
  :: else
  fi
}

init {
  atomic {
    run holder();
    run task();
    run canceler()
  }
  timeout;
  assert(gone && closed == asked)
}
