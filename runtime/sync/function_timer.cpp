// after_func(d, f): a timer that runs f in a fiber of its own.
#include <algorithm>
#include <mutex>
#include <utility>

#include "runtime/base/spin_lock.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/spawn.hpp"
#include "weft/timer.hpp"

namespace weft::detail {

using namespace runtime;

struct function_timer {
  atomic<std::uint32_t> references{1};  // the handle's, the armed timer's, and one for each run under way
  spin_lock lock;                       // leaf but for timers
  timer_record* record = take_timer_record();
  std::uint32_t generation = 0;
  bool pending = false;
  std::move_only_function<void()> run;
};

namespace {

void retain(function_timer* t) noexcept { t->references.fetch_add(1, relaxed); }

void run_once(void* p) {
  struct reference {
    function_timer* t;
    ~reference() { release_timer(t); }  // also when f ends by `canceled`
  } const mine{static_cast<function_timer*>(p)};
  mine.t->run();
}

// The armed timer's reference becomes the run's.
void on_function_timer(void* owner, std::uint32_t generation, std::int64_t, fiber_list&) {
  auto* t = static_cast<function_timer*>(owner);
  {
    const std::lock_guard hold(t->lock);
    if (t->generation != generation || !t->pending) return;
    t->pending = false;
  }
  start_internal_fiber("after_func", &run_once, t);
}

// With the lock.
void arm(function_timer& t, timespan d) noexcept {
  t.generation = t.record->arm();
  t.pending = true;
  retain(&t);
  insert_timer(saturating_add(local_now(), std::max<std::int64_t>(d.ns, 0)), t.record, t.generation);
}

// With the lock; the caller drops the armed timer's reference when true.
bool disarm(function_timer& t) noexcept {
  if (t.record->stop()) note_stale_timer(t.record->heap.load(relaxed));
  return std::exchange(t.pending, false);
}

}  // namespace

function_timer* make_function_timer(timespan d, std::move_only_function<void()> f) {
  auto* t = new function_timer;
  t->run = std::move(f);
  t->record->set(&on_function_timer, t);
  const section in;
  const std::lock_guard hold(t->lock);
  arm(*t, d);
  return t;
}

bool stop_timer(function_timer* t) noexcept {
  bool was_pending;
  {
    const section in;
    const std::lock_guard hold(t->lock);
    was_pending = disarm(*t);
  }
  if (was_pending) release_timer(t);
  return was_pending;
}

bool reset_timer(function_timer* t, timespan d) noexcept {
  bool was_pending = false;
  for (bool armed = false; !armed;) {
    const section in;
    t->record->settle();
    const std::lock_guard hold(t->lock);
    was_pending |= disarm(*t);
    if (t->record->firing()) continue;
    arm(*t, d);
    armed = true;
  }
  if (was_pending) release_timer(t);
  return was_pending;
}

void release_timer(function_timer* t) noexcept {
  if (t->references.fetch_sub(1, acq_rel) != 1) return;
  t->record->settle();
  give_timer_record(t->record);
  delete t;
}

}  // namespace weft::detail

namespace weft {

timer adopt_timer(detail::function_timer* f) noexcept {
  timer t;
  t.function_ = f;
  return t;
}

}  // namespace weft
