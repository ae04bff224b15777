/* The mutex: lock, unlock, a wait that is cancelled, hand-off; nobody is left waiting, and nobody touches it too late.
 *
 * Three fibers lock it, one of them twice; the wait of one may be cancelled, it comes again then. Any wait may have
 * lasted for long. Who was the last to hold it destroys it when the lock is given up, as the last owner of an object
 * that the mutex lies in may do: nobody is inside it then. Every run ends: nobody waits, and the mutex is free.
 *
 * Memory: every change of the state is one atomic step, and one under the list's lock sees those before it. A newcomer
 * that need not announce itself may see an old state: it waits though the mutex has just become free.
 *
 * Not here: how a waiter parks and is claimed (park.pml); one step each.
 *
 * @ include/weft/mutex.hpp: void lock() {
 *   state_.compare_exchange_strong(expected, k_locked,                       [try_lock]
 * @ include/weft/mutex.hpp: void unlock() {
 *   std::uint32_t expected = k_locked;                                       [unlock_fast]
 *   state_.compare_exchange_strong(expected, k_free,
 * @ runtime/sync/mutex.cpp: bool mutex::take_or_announce(bool others, std::uint32_t starving) noexcept {
 *   (woken_ ? 0 : k_waiters) | starving;                                     [take_or_announce]
 *   seen != k_free ? seen | announced : k_locked | (others && !woken_ ? k_waiters : 0);
 *   while (next != seen && !state_.compare_exchange_weak(
 * @ runtime/sync/mutex.cpp: bool mutex::acquire_slow(const context* ctx, bool cancelable) {
 *   if (!woken && try_lock()) return true;                                   [try_lock]
 *   locked_list list(waiters_);                                              [take_list]
 *   if (woken) woken_ = false;                                               [come]
 *   if (take_or_announce(                                                    [take_or_announce]
 *   list.wait(self, scope, wait_reason::mutex_lock);                         [queue]
 *   if (why == k_handed) {                                                   [HANDED]
 *   state_.fetch_and(~k_starving,
 *   if (why == wait_word::k_canceled) return false;                          [CANCELED]
 *   woken = true;
 * @ runtime/sync/mutex.cpp: void mutex::unlock_slow() {
 *   locked_list list(waiters_);                                              [take_list]
 *   const bool hand_over = (state_.load(relaxed) & k_starving) != 0;
 *   list.claim_first(hand_over ? k_handed : k_compete);                      [claim_first]
 *   if (list.empty()) state_.store(k_locked,                                 [nobody_waits]
 *   woken_ = true;
 *   state_.store(k_free,                                                     [set_free]
 *   list.unlock();                                                           [leave_list]
 *   finish(list.here(), heir.waiter, heir.claim);                            [finish]
 *   state_.compare_exchange_strong(seen, k_free,                             [unlock_fast]
 *
 * + ANNOUNCED         a newcomer announces itself beside a woken one: more are woken, nobody is lost
 * ! KEPT              the woken one does not take woken_ back
 * ! ALONE             the woken one takes the mutex and does not announce those who are in the list
 * ! UNHEARD           nor does it announce itself where it must queue again
 * ! WOKEN_TRIES       the woken one tries before it has the list's lock
 * ! FREED_FIRST       where nobody waits the mutex is freed before the list is left
 * ! NO_SECOND_LOOK    where nobody waits it is freed whoever has come meanwhile
 */
#define FIBERS 3
#define WAITING 1
#define COMPETE 2
#define HANDED 3
#define CANCELED 4

bool locked, waiters, starving; /* the state */
bool woken_, list_locked;
chan list = [FIBERS] of { byte };
byte status[FIBERS];
bool ready[FIBERS];
bool inside[FIBERS];
byte owners, rounds_left = 4;

inline take_list() { atomic { !list_locked -> list_locked = true } }
inline leave_list() { list_locked = false }
inline set_free() { atomic { locked = false; waiters = false; starving = false } }
inline nobody_waits() {
  atomic {
    if
    :: empty(list) -> waiters = false; starving = false
    :: else
    fi
  }
}
inline finish(heir) { ready[heir] = true }

inline try_lock() {
  atomic {
    if
    :: !locked -> assert(!waiters && !starving); locked = true; mine = true
    :: else
    fi
  }
}

inline unlock_fast() {
  atomic {
    if
    :: locked && !waiters && !starving -> locked = false; inside[me] = false; given_up = true
    :: else
    fi
  }
}

inline come() {
#ifndef KEPT
  if
  :: was_woken -> woken_ = false
  :: else
  fi
#else
  skip
#endif
}

inline take_or_announce() {
  atomic {
    if
    :: !locked ->
      locked = true; mine = true;
#ifndef ALONE
      waiters = (nempty(list) && !woken_)
#endif
    :: locked ->
#ifdef UNHEARD
      if
      :: !was_woken && !woken_ -> waiters = true
      :: else
      fi;
#else
#ifdef ANNOUNCED
      waiters = true;
#else
      if
      :: !woken_ -> waiters = true
      :: else
      fi;
#endif
#endif
      if
      :: starving = true
      :: skip
      fi
    :: woken_ -> skip /* an old state was seen */
    fi
  }
}

inline queue() { atomic { list ! me; status[me] = WAITING } }

inline claim_first() {
  atomic {
    heir = FIBERS;
    do
    :: heir == FIBERS && nempty(list) ->
      list ? heir;
      if
      :: status[heir] == WAITING && hand_over -> status[heir] = HANDED
      :: status[heir] == WAITING && !hand_over -> status[heir] = COMPETE
      :: else -> heir = FIBERS
      fi
    :: else -> break
    od
  }
}

inline lock() {
  mine = false;
  was_woken = false;
  do
  :: mine -> break
  :: else ->
    if
#ifndef WOKEN_TRIES
    :: was_woken
#endif
    :: else -> try_lock()
    fi;
    if
    :: mine
    :: else ->
      take_list();
      come();
      take_or_announce();
      if
      :: mine -> leave_list()
      :: else ->
        queue();
        leave_list();
        ready[me];
        ready[me] = false;
        if
        :: status[me] == HANDED ->
          mine = true;
          if
          :: starving = false
          :: skip
          fi
        :: status[me] == CANCELED ->
          was_woken = false;
          take_list();
          atomic {
            if
            :: list ?? [eval(me)] -> list ?? eval(me)
            :: else
            fi
          }
          leave_list()
        :: status[me] == COMPETE -> was_woken = true
        fi;
        status[me] = 0
      fi
    fi
  od
}

inline unlock() {
  given_up = false;
  unlock_fast();
  do
  :: given_up -> break
  :: else ->
    take_list();
    hand_over = starving;
    claim_first();
    nobody_waits();
    if
    :: heir != FIBERS ->
      if
      :: !hand_over -> woken_ = true; set_free()
      :: else
      fi;
      atomic { leave_list(); inside[me] = false }
      finish(heir);
      given_up = true
    :: else ->
#ifdef FREED_FIRST
      unlock_free_in_list();
#else
      leave_list();
#ifdef NO_SECOND_LOOK
      atomic { locked = false; waiters = false; starving = false; inside[me] = false; given_up = true }
#else
      unlock_fast()
#endif
#endif
    fi
  od
}

inline unlock_free_in_list() {
  set_free();
  leave_list();
  inside[me] = false;
  given_up = true
}

proctype fiber(byte me; byte rounds) {
  bool mine, was_woken, given_up, hand_over, last;
  byte heir;
  do
  :: rounds == 0 -> break
  :: else ->
    lock();
    owners++;
    assert(owners == 1);
    inside[me] = true;
    rounds_left--;
    last = (rounds_left == 0);
    owners--;
    unlock();
    rounds--
  od;
  if
  :: last -> assert(!inside[0] && !inside[1] && !inside[2])
  :: else
  fi
}

proctype canceler() {
  atomic {
    if
    :: status[0] == WAITING -> status[0] = CANCELED; ready[0] = true
    :: true
    fi
  }
}

init {
  atomic {
    run fiber(0, 1);
    run fiber(1, 1);
    run fiber(2, 2);
    run canceler()
  }
  timeout;
  assert(rounds_left == 0 && !locked && empty(list) && !woken_ && !list_locked)
}
