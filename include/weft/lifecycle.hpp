// A service from its first request to its last: ready, draining, compensating, terminated.
#pragma once
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <iosfwd>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/context.hpp"
#include "weft/debug.hpp"
#include "weft/detail/member.hpp"
#include "weft/time.hpp"

namespace weft {

// starting:      from the constructor to serve(); not ready yet
// ready:         until a signal, shutdown(), the parent's cancel or a fiber that failed ends it
// draining:      nothing new is taken on, what was taken on is finished
// compensating:  what the service did to the world outside is undone or handed over, in reverse
// terminated:    serve() is about to return
enum class lifecycle_phase : std::uint8_t { starting, ready, draining, compensating, terminated };
WEFT_API std::string_view name_of(lifecycle_phase) noexcept;

// A shutdown takes at most lame_duck + drain + compensate + 2 * unwind. Keep that, and `drain` of runtime_options
// twice, below what the platform grants before it kills: terminationGracePeriodSeconds, TimeoutStopSec.
struct lifecycle_options {
  std::vector<int> signals{SIGTERM, SIGINT};  // that begin the shutdown; may be empty
  // How long it takes new work although is_ready() is false already: until load balancers have heard of it.
  clock::duration lame_duck = 0s;
  clock::duration drain = 20s;
  clock::duration compensate = 5s;
  // Past the end of each of the two: for what was cancelled then to run its destructors.
  clock::duration unwind = 1s;
};

enum class hook_outcome : std::uint8_t {
  completed,
  failed,     // an error or an exception of its own
  timed_out,  // its time was over first
  cut_short,  // by a further signal
  skipped     // not begun: a further signal had ended its phase
};
WEFT_API std::string_view name_of(hook_outcome) noexcept;

struct hook_report {
  std::string name;
  lifecycle_phase phase;
  hook_outcome outcome;
  std::exception_ptr error;  // of one that failed; a code as std::system_error
  clock::duration took{};
};

// How a service came down.
struct lifecycle_report {
  struct failure {
    std::string name;
    std::exception_ptr error;
  };
  std::exception_ptr cause;        // why: a std::system_error that names the signal, what shutdown() was given …
  std::vector<hook_report> hooks;  // in the order in which they began
  std::vector<failure> failures;   // of fibers that go() started
  std::vector<debug::fiber_info> unfinished;  // of these: ran still when the draining ended, and was cancelled then
  std::vector<debug::fiber_info> left;        // fibers and hooks that run still; by the names they were given

  // Every hook completed, no fiber failed, none was unfinished, none is left.
  WEFT_API bool clean() const noexcept;
};
// A line for the cause, and one for each hook, failure and leftover.
WEFT_API std::ostream& operator<<(std::ostream&, const lifecycle_report&);

// Made by the service's main fiber, which starts what serves by go(), registers hooks, and calls serve(). Two contexts
// say how far things are: `accepting` is cancelled when the draining begins, and with it whatever takes new work on;
// `working` when the draining ends, and with it requests that were not finished in time. The hooks' contexts are
// neither below these nor below one another: each has all of its time, whatever brought the shutdown about or overran
// before.
//
// Signals. The first asks for the shutdown; when something else did so before (a preStop hook, say), it changes
// nothing. Each further one cuts short the phase that it finds: the draining, and what was not finished is cancelled;
// then the compensating, and the hooks that have not begun are skipped. Before serve() a second one has the effect it
// would have without weft. After the service has terminated all have.
//
// Hooks and go()'s functions are f() or f(const context&) and give void, std::error_code or result<void>. Each runs in
// a fiber with its name, bound to the context it is given. They may use what is declared before the lifecycle.
//
// What may be called from any thread says so; the rest is for the fiber that owns it.
class WEFT_API lifecycle {
 public:
  // In a run. `parent` gives the values of all contexts; its cancel asks for the shutdown. Throws std::invalid_argument
  // for an option that makes no sense, naming it, what signals::notify throws, and std::logic_error where no runtime
  // runs.
  explicit lifecycle(const lifecycle_options& = {}, const context& parent = background());
  // Cancels what still runs and waits for it, shielded. What has not ended after `unwind` ends the process with status
  // 2 and a dump, as at the end of a run. Without serve() no hook runs: a failed start is unwound like any scope.
  ~lifecycle();
  lifecycle(const lifecycle&) = delete;
  lifecycle& operator=(const lifecycle&) = delete;

  // Any thread; never block. For a readiness probe: true from serve() on, false from the moment a shutdown is asked
  // for.
  bool is_ready() const noexcept { return phase() == lifecycle_phase::ready; }
  lifecycle_phase phase() const noexcept;

  // For accept loops, queue consumers, tickers; before serve() for what the start waits for: there it is cancelled as
  // soon as a shutdown is asked for.
  const context& accepting() const noexcept;
  // For what has been taken on.
  const context& working() const noexcept;

  // Starts a fiber bound to working(), or to the given context, that the draining waits for and the report names. One
  // that fails, by an exception or an error, asks for the shutdown with its failure as the cause; `canceled` is an
  // ordinary end, and so is the error of a context that is over. Any thread, until serve() has returned; never blocks.
  template <class F>
  void go(std::string_view name, F&& f, std::source_location site = std::source_location::current()) {
    start(working(), name, detail::make_member(std::forward<F>(f)), site);
  }
  template <class F>
  void go(const context& ctx, std::string_view name, F&& f,
          std::source_location site = std::source_location::current()) {
    start(ctx, name, detail::make_member(std::forward<F>(f)), site);
  }

  // Run when the draining begins, all at once: stop listening, say farewell to the peers, wait for a queue to empty.
  template <class F>
  void on_drain(std::string_view name, F&& f, std::source_location site = std::source_location::current()) {
    add_hook(lifecycle_phase::draining, name, detail::make_member(std::forward<F>(f)), site);
  }
  // Run after the draining, one after the other, the last registered first: what came later may rest on what came
  // before, as with defer. The time is shared: each has an equal part of what is left, so that one that overruns takes
  // none of it from the next. Both throw std::logic_error once serve() has been called.
  template <class F>
  void on_compensate(std::string_view name, F&& f, std::source_location site = std::source_location::current()) {
    add_hook(lifecycle_phase::compensating, name, detail::make_member(std::forward<F>(f)), site);
  }

  // Asks for the shutdown; the first cause is kept. Any thread, at any time; never blocks.
  void shutdown() noexcept;
  void shutdown(cancel_cause) noexcept;

  // Ready from here on. Blocks until a shutdown is asked for, sees it through, and says how it went. Once; then throws
  // std::logic_error. No cancellation point: a service that is to end with its caller's context has that as `parent`.
  [[nodiscard]] lifecycle_report serve();

 private:
  struct state;
  void start(const context&, std::string_view name, std::unique_ptr<detail::member>, std::source_location);
  void add_hook(lifecycle_phase, std::string_view name, std::unique_ptr<detail::member>, std::source_location);

  std::unique_ptr<state> state_;
};

}  // namespace weft
