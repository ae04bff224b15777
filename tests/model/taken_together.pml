/* Taking several fibers out of the global queue against going to sleep: none is left beside an idle processor.
 *
 * Worker 1 takes the last two: between the queue and its ring they are in neither. It runs the first, which computes
 * for ever. Worker 2, which found nothing and may not spin, lies down meanwhile. Whoever is woken takes from the ring.
 * Every run ends, and at its end nothing lies in the ring beside an idle processor.
 *
 * Memory: the ring's push is a release store, so it may wait in a store buffer while later loads go ahead; the fence
 * (S) waits until the buffer is empty. The lock's sections are one step each.
 *
 * Not here: the rest of going to sleep (idle.pml).
 *
 * @ runtime/sched/scheduler.cpp: fiber* take_global(processor* p, std::size_t most) noexcept {
 *   const std::lock_guard hold(s.lock);                                      [take_both]
 *   taken[i] = s.global.pop_front();
 *   s.global_size.store(
 *   p->ring.push(taken[i]);                                                  [push]
 *   full_fence();                                                            [fence]
 *   wake_one();                                                              [wake_one]
 * @ runtime/sched/find_work.cpp: rest lie_down(worker* m) noexcept {
 *   const std::lock_guard hold(s.lock);                                      [lie_down]
 *   !s.global.empty()
 *   s.idle_count.fetch_add(1, seq_cst);
 * @ runtime/sched/find_work.cpp: bool must_get_up(rest how) noexcept {
 *   full_fence();
 *   return work_anywhere();                                                  [look_again]
 *
 * ! NO_WAKE           who has put them into its ring wakes nobody
 * ! NO_FENCE          it looks for an idle processor before they can be seen
 */
byte global_queue = 2, buffered, ring;
byte idle_count;
bool asleep, woken;

inline take_both() { atomic { global_queue = 0 } }

inline push() { buffered++ }

inline fence() {
#ifndef NO_FENCE
  buffered == 0
#else
  skip
#endif
}

inline wake_one() {
  if
  :: idle_count == 0
  :: else -> atomic {
      if
      :: asleep -> asleep = false; idle_count--; woken = true
      :: else
      fi
    }
  fi
}

proctype taker() {
  take_both();
  push();
#ifndef NO_WAKE
  fence();
  wake_one()
#endif
}

inline lie_down() {
  atomic {
    if
    :: global_queue != 0 -> refused = true
    :: else -> idle_count++; asleep = true
    fi
  }
}

inline look_again() { work = (global_queue != 0 || ring != 0) }

proctype sleeper() {
  bool refused, work;
  do
  :: lie_down();
    if
    :: refused -> refused = false; global_queue == 0 /* it looks, and finds them gone */
    :: else -> break
    fi
  od;
  look_again();
  if
  :: work -> atomic {
      if
      :: asleep -> asleep = false; idle_count--; woken = true
      :: else
      fi
    }
  :: else
  fi;
end_sleep:
  atomic { woken -> woken = false }
  if
  :: ring != 0 -> ring--
  :: else -> lie_down()
  fi
}

proctype memory() {
end_empty:
  do
  :: atomic { buffered != 0 -> buffered--; ring++ }
  od
}

init {
  atomic {
    run taker();
    run sleeper();
    run memory()
  }
  timeout;
  assert(ring == 0 || idle_count == 0)
}
