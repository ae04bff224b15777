#include "runtime/sched/polling.hpp"

#include <mutex>

#include "runtime/sched/section.hpp"

namespace weft::runtime {
namespace {

constexpr std::int64_t k_patience_ns = 1'000'000;        // while every turn lasts
constexpr std::int64_t k_busy_patience_ns = 10'000'000;  // while turns are short: they will ask, having done their work

// If a processor is idle and nobody watches: somebody who sleeps looks again.
void call_another() noexcept {
  scheduler& s = sched();
  if (s.idle_count.load(seq_cst) == 0) return;
  worker* keeper;
  {
    const std::lock_guard hold(s.lock);
    if (s.watcher.load(relaxed) != nullptr || s.idle_count.load(relaxed) == 0) return;
    keeper = s.time_keeper;
  }
  if (keeper != nullptr)
    keeper->wake.post();
  else
    wake_one();
}

}  // namespace

void ask_poller(processor* p) noexcept {
  scheduler& s = sched();
  if (!s.poller_asked.load(relaxed)) s.poller_asked.store(true, relaxed);
  fiber_list woken;
  the_poller().poll(woken);
  std::size_t ours = 0;
  while (fiber* f = woken.pop_front()) {
    if (f->is_foreign()) {
      f->foreign_wake.post();
    } else {
      push_local(p, f);
      ++ours;
    }
  }
  if (ours < 2 || s.idle_count.load(seq_cst) == 0) return;
  full_fence();  // (S)
  wake_one();
}

bool begin_watch(worker* m) noexcept {
  scheduler& s = sched();
  if (!the_poller().any_watched()) return false;
  const std::lock_guard hold(s.lock);
  if (s.watcher.load(relaxed) != nullptr || !m->in_idle_list) return false;
  if (s.idle_count.load(relaxed) == 0 && !s.watch_wanted) return false;
  s.watch_wanted = false;
  s.watcher.store(m, relaxed);
  s.time_keeper = m;  // whoever it was wakes at its time, once, and finds that it is no longer
  return true;
}

void end_watch(worker* m) noexcept {
  scheduler& s = sched();
  bool taken_out;
  {
    const std::lock_guard hold(s.lock);
    s.watcher.store(nullptr, relaxed);
    taken_out = !m->in_idle_list;
  }
  if (taken_out && !m->spinning && the_poller().watched() != 0) call_another();
}

int watch_descriptor(descriptor& d) noexcept {
  const scheduler& s = sched();
  const section in;
  fiber_list woken;
  const int error = the_poller().add(d, woken);
  ready(woken);
  if (error != 0) return error;
  if (s.idle_count.load(seq_cst) == 0) return 0;
  const foreign_visit inside(in.here());
  if (inside.admitted()) call_another();
  return 0;
}

void look_at_descriptors(std::int64_t now, bool turns_last) noexcept {
  static std::int64_t unasked_since = 0;  // the monitor's own
  static bool seen_unwatched = false;
  scheduler& s = sched();
  const bool unwatched = the_poller().watched() != 0 && s.idle_count.load(relaxed) != 0 &&
                         s.watcher.load(relaxed) == nullptr && s.spinning.load(relaxed) == 0;
  if (unwatched && seen_unwatched) call_another();
  seen_unwatched = unwatched;
  if (the_poller().watched() == 0 || s.idle_count.load(relaxed) != 0 || s.watcher.load(relaxed) != nullptr ||
      s.poller_asked.load(relaxed)) {
    s.poller_asked.store(false, relaxed);
    unasked_since = now;
    return;
  }
  if (now - unasked_since < (turns_last ? k_patience_ns : k_busy_patience_ns)) return;
  unasked_since = now;
  if (turns_last) {
    worker* called = nullptr;
    {
      const std::lock_guard hold(s.lock);
      if (s.watcher.load(relaxed) == nullptr && !s.watch_wanted) called = s.time_keeper;
      if (called != nullptr) s.watch_wanted = true;
    }
    if (called != nullptr) called->wake.post();
  }
  fiber_list woken;
  the_poller().poll(woken);
  ready(woken);
}

}  // namespace weft::runtime
