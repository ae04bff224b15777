/* A processor's run queue, with four places: every item is taken once, by its owner or by one of two thieves.
 *
 * The owner pushes five items, so that the ring wraps, and pops when it likes, and when the ring is full. Each thief
 * tries twice to take half of what there is; where the code begins anew because another was faster, that is the next
 * try. Every run ends; at the end each item has been taken once.
 *
 * Memory: the slot's store and the tail's wait in the owner's buffer; the tail's is a release, so it comes behind the
 * slot's (variant WEAK_TAIL: it may not). The thief's loads of the slots come before its compare-and-swap, a release
 * (variant LATE_READ: they may not), and head is loaded before tail, by an acquire. A head or tail that is out of date
 * is one that was loaded some steps before.
 *
 * @ runtime/queue/run_queue.hpp: bool push(T* x) noexcept {
 *   head_.load(acquire);                                                     [push]
 *   tail - head >= Capacity
 *   slot(tail).store(x, relaxed);
 *   tail_.store(tail + 1, release);
 * @ runtime/queue/run_queue.hpp: T* pop(bool alone = false) noexcept {
 *   head_.load(acquire);                                                     [pop]
 *   head == tail_.load(relaxed)
 *   slot(head).load(relaxed);
 *   head_.compare_exchange_weak(head, head + 1, release, acquire)
 * @ runtime/queue/run_queue.hpp: std::uint32_t grab_half(std::array<T*, Capacity / 2>& out) noexcept {
 *   head_.load(acquire);                                                     [grab_half]
 *   tail_.load(acquire);
 *   n -= n / 2;
 *   if (n > Capacity / 2) continue;
 *   out[i] = slot(head + i).load(relaxed);
 *   head_.compare_exchange_weak(head, head + n, acq_rel, relaxed)
 *
 * ~ THEFTS=1          for the search for cycles
 *
 * ! WEAK_TAIL         the tail may be visible before the slot
 * ! LATE_READ         a thief reads the slots after it has taken them
 * ! ONE_TOO_MANY      the owner pushes into a full ring
 * ! PLAIN_POP         the owner's pop loads and stores the head
 * ! NO_LIMIT          a thief trusts a head and a tail from different times
 */
#define CAPACITY 4
#define ITEMS 5
#ifndef THEFTS
#define THEFTS 2
#endif
#define SLOT 0
#define TAIL 1

byte slot[CAPACITY];
byte head, tail;      /* as others see them */
byte pushed;          /* the tail, as the owner does */
chan buffer = [4] of { byte, byte, byte };
byte taken[ITEMS + 1];
byte all;

inline take(item) {
  d_step {
    assert(item != 0);
    assert(taken[item] == 0);
    taken[item]++;
    all++
  }
}

inline push(item) {
  h = head;
#ifdef ONE_TOO_MANY
  if
  :: pushed - h > CAPACITY -> refused = true
#else
  if
  :: pushed - h >= CAPACITY -> refused = true
#endif
  :: else ->
    atomic {
      refused = false;
      buffer!SLOT, pushed % CAPACITY, item;
      pushed++;
      buffer!TAIL, 0, pushed
    }
  fi;
  h = 0
}

/* The owner sees its own stores. */
inline pop() {
  empty(buffer); /* what it reads has been stored by now, or is on its way: the same to it */
  h = head;
  if
  :: h == pushed
  :: else ->
    x = slot[h % CAPACITY];
#ifdef PLAIN_POP
    head = h + 1;
    take(x);
#else
    if
    :: atomic { head == h -> head = h + 1 } take(x)
    :: else
    fi;
#endif
    x = 0
  fi;
  h = 0
}

proctype owner() {
  byte h, x, i;
  bool refused;
  i = 1;
  do
  :: i <= ITEMS ->
    if
    :: pop()
    :: skip
    fi;
    push(i);
    if
    :: refused -> refused = false; pop()
    :: else -> i++
    fi
  :: else -> break
  od;
  do
  :: head != pushed -> pop()
  :: else -> break
  od
}

inline grab_half() {
  h = head;
  n = tail - h;
  n = n - n / 2;
  if
#ifndef NO_LIMIT
  :: n > CAPACITY / 2
#endif
#ifdef NO_LIMIT
  :: n != 0 ->
    assert(n <= CAPACITY / 2);
#else
  :: n != 0 && n <= CAPACITY / 2 ->
#endif
#ifdef LATE_READ
    if
    :: atomic { head == h -> head = h + n }
      a = slot[h % CAPACITY];
      if
      :: n == 2 -> b = slot[(h + 1) % CAPACITY]
      :: else
      fi;
#else
    a = slot[h % CAPACITY];
    if
    :: n == 2 -> b = slot[(h + 1) % CAPACITY]
    :: else
    fi;
    if
    :: atomic { head == h -> head = h + n }
#endif
      take(a);
      if
      :: n == 2 -> take(b)
      :: else
      fi
    :: else
    fi
  :: n == 0
  fi;
  d_step { h = 0; n = 0; a = 0; b = 0 }
}

proctype thief() {
  byte h, n, a, b, i;
  do
  :: i < THEFTS -> i++; grab_half()
  :: else -> break
  od
}

proctype memory() {
  byte at, x;
end_empty:
  do
  :: atomic { buffer?SLOT, at, x -> slot[at] = x; at = 0; x = 0 }
  :: atomic { buffer?TAIL, at, x -> tail = x; at = 0; x = 0 }
#ifdef WEAK_TAIL
  :: atomic { buffer??TAIL, at, x -> tail = x; at = 0; x = 0 }
#endif
  od
}

init {
  atomic {
    run owner();
    run thief();
    run thief();
    run memory()
  }
  timeout;
  assert(all == ITEMS && head == pushed)
}
