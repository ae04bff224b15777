// Inside weft::lifecycle, which rests on weft's public face.
//
// Invariants
// 1. `requested` lies below the parent: its end, by whomever, is the request. Everything else lies below `apart`, which
//    has the parent's values and no end: so no phase begins with a context that is over.
// 2. A fiber that go() or a phase has started is in `fibers` and counted in `members` until what it captured is gone.
//    It leaves `members` last, for then the lifecycle may be gone.
// 3. A hook's outcome is decided once: by its end, or when its phase gives it up.
// 4. `cut` is what a further signal cancels: the context that everything of the current phase lies below. It is shared,
//    since the phase may end while it is being cancelled, and that runs users' callbacks, so not under the lock.
#pragma once
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "weft/lifecycle.hpp"
#include "weft/mutex.hpp"
#include "weft/task.hpp"
#include "weft/wait_group.hpp"

namespace weft {

struct lifecycle::state {
  struct entry {
    std::string name;
    std::source_location site;
    bool is_hook;
    fiber_id id{};  // 0 before it has begun
  };
  using entries = std::list<entry>;

  struct hook {
    hook_report told;  // under the lock, once it has begun
    std::unique_ptr<detail::member> member;
    std::source_location site;
    chan<void> ended{};
    bool decided = false;  // under the lock
  };

  class seat;

  state(const lifecycle_options& o, const context& parent)
      : options(o),
        apart(without_cancel(parent)),
        requested(with_cancel(parent)),
        accepting(with_cancel(apart)),
        working(with_cancel(apart)),
        cut(std::make_shared<const cancelable>(with_cancel(apart))) {}
  ~state();

  void listen();
  void listen_no_more() noexcept;
  void stop_starting() const;
  void on_signal(int signal);

  void begin(const context&, entry, const chan<void>& ended, std::move_only_function<void()> body);
  void run_member(const std::string& name, detail::member&, const context&);
  void begin_hook(hook&, const context&);
  void run_hook(hook&, const context&);
  void decide(hook&, hook_outcome, std::exception_ptr, clock::duration took) noexcept;

  context enter(lifecycle_phase);
  void drain(clock::duration lame_duck);
  void compensate();
  bool await_end(const hook& h, const context& until) const;
  lifecycle_report report();
  std::vector<debug::fiber_info> running_locked(bool hooks_too) const;
  bool is_empty() noexcept {
    const std::lock_guard hold(lock);
    return fibers.empty();
  }

  const lifecycle_options options;
  const context apart;
  const cancelable requested, accepting, working;
  std::atomic<lifecycle_phase> phase{lifecycle_phase::starting};

  mutex lock;  // guards the five below, and what says so
  std::shared_ptr<const cancelable> cut;
  bool cut_early = false;  // before there was a phase to cut
  entries fibers;
  std::vector<lifecycle_report::failure> failures;
  std::vector<debug::fiber_info> unfinished;

  std::list<hook> drains, compensations;  // as registered, the last first
  wait_group members;

  const chan<int> arrived{16};
  bool asked_by_signal = false;  // the watcher's
  task<void> watcher;
  const stop_func on_request = after_func(requested.ctx, [this] { stop_starting(); });
};

namespace runtime {

inline std::exception_ptr error_from(std::error_code code) { return std::make_exception_ptr(std::system_error(code)); }

// Whether the error tells no more than that the context is over.
inline bool is_end_of(const context& ctx, std::error_code e) noexcept {
  return ctx.err() && (e == errc::canceled || e == errc::deadline_exceeded);
}

}  // namespace runtime
}  // namespace weft
