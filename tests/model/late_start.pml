/* A fiber that is started beside the end of the run: it hears of the end, whoever comes first.
 *
 * The spawner says that its fiber is there, enters a section, looks whether the run ends. The end says so, cancels the
 * root, fences, goes through all fibers; later it says that the run is at its end, fences, goes through them again. At
 * the end the fiber is flagged for both.
 *
 * Memory: the spawner's store waits in a store buffer while its loads go ahead: there is no fence of its own. The end's
 * heavy fence waits until that buffer is empty. The end's own stores are seen in their order.
 *
 * Not here: foreign threads and kernels without membarrier, where the spawner has a fence of its own.
 *
 * @ runtime/sync/spawn.cpp: void start_fiber(unstarted_fiber u, const fiber_body& body) noexcept {
 *   f->phase.store(fiber_phase::unstarted, runtime::release);                [publish]
 *   const section in;
 *   catch_up_with_end(f);                                                    [catch_up]
 * @ runtime/sync/spawn.cpp: void catch_up_with_end(fiber* f) noexcept {
 *   const run_phase phase = sched().phase.load(acquire);                     [catch_up]
 *   if (ends_with_root(f)) f->cancel.fetch_or(k_bound_canceled, seq_cst);
 *   if (phase >= run_phase::ending) f->cancel.fetch_or(k_run_ended, seq_cst);
 * @ runtime/sync/spawn.cpp: void see_fibers_under_way() noexcept {
 *   heavy_fence()                                                            [heavy_fence]
 * @ runtime/run/run.cpp: void end_run() {
 *   s.phase.store(run_phase::draining, seq_cst);                             [say]
 *   cancel_root();
 *   throw_at_leftovers();
 * @ runtime/run/run.cpp: void throw_at_leftovers() {
 *   sched().phase.store(run_phase::ending, release);                         [say]
 *   see_fibers_under_way();                                                  [heavy_fence]
 *   cancel_fiber(&f, k_run_ended, woken);                                    [flag_all]
 * @ runtime/sync/context_node.cpp: void cancel_tasks_below_root() noexcept {
 *   see_fibers_under_way();                                                  [heavy_fence]
 *   cancel_below_root(ready_);                                               [flag_all]
 *
 * ! NO_FENCE          the end goes through the fibers without its fence
 * ! NO_LOOK           the spawner does not look whether the run ends
 * ! LOOK_FIRST        it looks before it says that its fiber is there
 */
#define RUNNING 0
#define DRAINING 1
#define ENDING 2

byte phase = RUNNING;
bool root_canceled;
bool buffered, there; /* the fiber: in the spawner's store buffer, for all to see */
bool bound_canceled, run_ended;
bool started;

inline publish() { buffered = true }

inline catch_up() {
  seen = phase;
  if
  :: seen >= DRAINING ->
    if
    :: root_canceled -> bound_canceled = true
    :: else
    fi;
    if
    :: seen >= ENDING -> run_ended = true
    :: else
    fi
  :: else
  fi
}

proctype spawner() {
  byte seen;
#ifdef LOOK_FIRST
  catch_up();
  publish();
#else
  publish();
#ifndef NO_LOOK
  catch_up();
#endif
#endif
  started = true
}

proctype memory() { atomic { buffered -> buffered = false; there = true } }

inline say(what) { phase = what }

inline heavy_fence() {
#ifndef NO_FENCE
  !buffered
#else
  skip
#endif
}

inline flag_all(flag) {
  if
  :: there -> flag = true
  :: else
  fi
}

proctype ender() {
  say(DRAINING);
  root_canceled = true;
  heavy_fence();
  flag_all(bound_canceled);
  say(ENDING);
  heavy_fence();
  flag_all(run_ended)
}

init {
  atomic {
    run spawner();
    run memory();
    run ender()
  }
  timeout;
  assert(started && bound_canceled && run_ended)
}
