/* Cancelling a tree of contexts: when cancel() returns, everything below is cancelled; nobody touches a node that is
 * gone.
 *
 * Three nodes in a row, 0 above 1 above 2. Each is cancelled by a thread of its own, which drops it then; the one of
 * node 2 may drop it without a cancel. Another thread derives node 3 from node 1 and drops it. Every run ends, so
 * nobody waits in a circle. Checked on the way: no step touches a node that is gone; at each return of a cancel all
 * that somebody holds below is cancelled. At the end all nodes are gone.
 *
 * Memory: states, lists and `registered` change under a node's lock, so each such section is one step; no two locks
 * are held at once. References are counted by read-modify-writes with acquire and release, and the only thing read
 * without a lock, `settled`, is stored with release and loaded with acquire: interleaving is enough.
 *
 * A node on which nothing hangs, neither child nor anybody to be woken, is settled in the step that cancels it; it has
 * somebody to be woken here whenever that is worse: then it is settled later, by cancel itself where nothing else hangs
 * on it, and as all the others else.
 *
 * Not here: whom the cancel wakes (park.pml), done channels, timers, user code.
 *
 * @ runtime/sync/context_node.cpp: bool cancel_bare(cancel_node& n,
 *   const std::lock_guard hold(n.lock);                                      [begin]
 *   n.state.load(relaxed) != cancel_state::live || n.has_done.load(relaxed) || !nothing_hangs_on(n)) return false;
 *   n.state.store(why, release);
 *   n.settled.store(true, release);
 * @ runtime/sync/context_node.cpp: step begin(cancel_node& n,
 *   std::unique_lock hold(n.lock);                                           [begin]
 *   n.state.load(relaxed) != cancel_state::live) return step::late;
 *   n.state.store(why, release);
 *   nothing_hangs_on(n);
 *   if (bare && !close) {
 *   n.settled.store(true, release);
 *   return bare ? step::told : step::spreads;
 * @ runtime/sync/context_node.cpp: void spread(cancel_state why) noexcept {
 *   take_children(*n, children);                                             [take_children]
 *   begin(*child, why, nullptr, true);                                       [begin]
 *   if (s == step::late) await(child->settled);                              [await_settled]
 *   detail::release(child);                                                  [release]
 * @ runtime/sync/context_node.cpp: static bool take_children(cancel_node& n,
 *   const std::lock_guard hold(n.lock);                                      [take_children]
 *   child->registered = false;
 *   if (retain_unless_gone(*child)) children.push_back(child);
 * @ runtime/sync/context_node.cpp: bool retain_unless_gone(cancel_node& n) noexcept {
 *   seen != 0                                                                [retain_child]
 *   n.references.compare_exchange_weak(seen, seen + 1, acq_rel, relaxed)
 * @ runtime/sync/context_node.cpp: void await(const atomic<bool>& step) noexcept {
 *   step.load(acquire)                                                       [await_settled]
 * @ runtime/sync/context_node.cpp: cancel_node* settle() noexcept {
 *   n->settled.store(true, release);                                         [settle]
 * @ runtime/sync/context_node.cpp: void cancel(cancel_node& start,
 *   start.state.load(acquire) != cancel_state::live) return await(start.settled)  [await_settled]
 *   c.begin(start, why, cause, false)                                        [begin]
 *   await(start.settled);                                                    [await_settled]
 *   c.make_ready();
 *   start.settled.store(true, release);                                      [begin]
 *   c.take_up(start);
 *   c.spread(why);                                                           [spreads]
 *   first = c.settle();                                                      [settle]
 *   release_all(first, &start);                                              [release_all]
 * @ runtime/sync/context_node.cpp: void destroy_cancel_node(cancel_node* n) noexcept {
 *   const std::lock_guard hold(n->above->lock);                              [release]
 *   if (n->registered) n->above->children.remove(n);
 * @ runtime/sync/context_node.cpp: void release_chain(context_node* n) noexcept {
 *   destroy_node(n);                                                         [release]
 *   parent->references.fetch_sub(1, acq_rel) != 1
 * @ runtime/sync/context.cpp: cancel_node* new_cancel_node(const context& parent, std::uint32_t references) {
 *   shared(parent.node())                                                    [derive]
 * @ runtime/sync/context.cpp: bool join_tree(cancel_node& n) noexcept {
 *   const std::lock_guard hold(above->lock);
 *   above->state.load(relaxed);
 *   add_child(*above, n);
 *   n.state.store(state, relaxed);
 *   n.told.store(true, relaxed);
 *   n.settled.store(true, relaxed);
 *
 * ! NO_WAIT           who finds a node cancelled does not wait until its subtree is
 * ! EARLY_SETTLE      a node is settled once it is cancelled itself
 * ! LOOK_FIRST        whether children hang on it is looked at before it is cancelled
 * ! NO_RETAIN         a child that is taken from the list is not retained
 * ! BLIND_RETAIN      it is retained without a look whether it is on its way out
 * ! NO_UNLINK         a node that goes does not leave the list above
 * ! BORN_LIVE         who derives does not look whether the parent is cancelled
 */
#define NODES 4
#define NONE 9
#define ABOVE(n) (n == 0 -> NONE : (n == 3 -> 1 : n - 1))

#define HELD(n) (exists[n] && references[n] != 0)

byte references[NODES];
bool exists[NODES]; /* it has been made */
bool gone[NODES];
bool canceled[NODES], settled[NODES];
bool registered[NODES]; /* in the list of the one above */

#define CHILDLESS(n) (n == 0 && !registered[1] || n == 1 && !registered[2] && !registered[3] || n >= 2)

/* A section under n's lock: true in `won` if it was live, in `bare` if that settles it. */
inline begin(n) {
#ifdef LOOK_FIRST
  bare = CHILDLESS(n);
#endif
  atomic {
    assert(!gone[n]);
    won = !canceled[n];
    canceled[n] = true;
#ifdef EARLY_SETTLE
    settled[n] = true;
#endif
#ifdef LOOK_FIRST
    bare = won && bare;
#else
    bare = won && CHILDLESS(n);
#endif
    if
    :: bare -> bare = false /* there is somebody to be woken */
    :: true
    fi
  }
  if
  :: bare -> assert(!gone[n]); settled[n] = true
  :: won && !bare -> list[length] = n; length++
  :: else
  fi
}

/* One that is on its way out is passed over. */
inline retain_child(c) {
  registered[c] = false;
  assert(!gone[c]);
#ifdef NO_RETAIN
  taken[c] = true
#else
#ifdef BLIND_RETAIN
  references[c]++;
  taken[c] = true
#else
  if
  :: references[c] != 0 -> references[c]++; taken[c] = true
  :: else
  fi
#endif
#endif
}

inline take_children(n) {
  atomic {
    assert(!gone[n]);
    if
    :: n == 0 && registered[1] -> retain_child(1)
    :: else
    fi;
    if
    :: n == 1 && registered[2] -> retain_child(2)
    :: else
    fi;
    if
    :: n == 1 && registered[3] -> retain_child(3)
    :: else
    fi
  }
}

inline await_settled(n) {
  assert(!gone[n]);
#ifndef NO_WAIT
  settled[n];
  assert(!gone[n])
#endif
}

/* Gives one reference back, and those above that this frees. */
inline release(n) {
  at = n;
  do
  :: at != NONE ->
    atomic {
      assert(!gone[at] && references[at] != 0);
      references[at]--;
      if
      :: references[at] != 0 -> at = NONE
      :: else
      fi
    }
    if
    :: at != NONE ->
#ifndef NO_UNLINK
      if
      :: ABOVE(at) != NONE -> atomic { assert(!gone[ABOVE(at)]); registered[at] = false }
      :: else
      fi;
#endif
      atomic { gone[at] = true; at = ABOVE(at) }
    :: else
    fi
  :: else -> break
  od;
  at = 0
}

proctype canceller(byte start) {
  byte list[NODES], length, i, child, at;
  bool won, bare, taken[NODES];
  if
  :: true
  :: start == 2 -> goto drops
  fi;
  begin(start);
  if
  :: !won -> await_settled(start); goto returns
  :: bare -> goto returns
  :: won && !bare
  fi;
spreads:
  do
  :: i < length ->
    take_children(list[i]);
    child = 1;
    do
    :: child < NODES && taken[child] ->
      taken[child] = false;
      begin(child);
      if
      :: won && !bare
      :: else ->
        if
        :: !won -> await_settled(child)
        :: else
        fi;
#ifndef NO_RETAIN
        release(child)
#endif
      fi
    :: child < NODES && !taken[child] -> child++
    :: else -> break
    od;
    i++
  :: else -> break
  od;
  i = 0;
settle:
  do
  :: i < length -> d_step { assert(!gone[list[i]]); settled[list[i]] = true; i++ }
  :: else -> break
  od;
release_all:
  i = 1; /* the first is start */
  do
  :: i < length ->
#ifndef NO_RETAIN
    release(list[i]);
#endif
    d_step { list[i] = 0; i++ }
  :: else -> break
  od;
returns:
  skip;
  d_step {
    i = 0;
    length = 0;
    won = false;
    bare = false;
    child = 0;
    list[0] = 0;
    assert(!HELD(1) || start > 1 || canceled[1]);
    assert(!HELD(2) || start > 2 || canceled[2]);
    assert(!HELD(3) || start > 1 || canceled[3])
  }
drops:
  release(start)
}

proctype deriver() {
  byte at;
derive:
  references[1]++;
  references[3] = 1;
  atomic {
    assert(!gone[1]);
#ifndef BORN_LIVE
    if
    :: !canceled[1] -> registered[3] = true
    :: else -> canceled[3] = true; settled[3] = true
    fi;
#else
    registered[3] = true;
#endif
    exists[3] = true
  }
  release(1); /* the parent's handle */
  release(3)
}

init {
  atomic {
    exists[0] = true;
    exists[1] = true;
    exists[2] = true;
    registered[1] = true;
    registered[2] = true;
    references[0] = 2; /* its thread, and 1 */
    references[1] = 3; /* its thread, 2, and who derives */
    references[2] = 1;
    run canceller(0);
    run canceller(1);
    run canceller(2);
    run deriver()
  }
  timeout;
  assert(gone[0] && gone[1] && gone[2] && gone[3])
}
