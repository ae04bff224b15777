// Testing concurrent code: a bubble of fibers with a clock of its own. Go's testing/synctest. CMake: weft::synctest.
//
// bubble(f) runs f in a fiber of a new bubble; whatever starts inside belongs to it: go, spawn, after_func,
// wait_group::go and the like. In there weft's clock is virtual: clock::now, sleeps, timers, tickers, the deadlines of
// contexts. It begins at 946684800 s (2000-01-01 as the system's clock counts), stands still while any fiber of the
// bubble can go on, and jumps to the next timer when all are durably blocked. What takes a day then takes no time, and
// no test need wait.
//
// A fiber is durably blocked when only another one of the bubble, or the bubble's clock, can wake it: in a channel
// operation or select on channels that were made inside, also on a null channel or without cases; a sleep; a wait on a
// wait_group, condition_variable, semaphore, group or waiter; a join; synctest::wait. It is not, and the clock stands
// until it goes on, when it waits for a mutex or shared_mutex, or on a channel from outside, computes, is inside
// blocking(f), or blocks its thread.
//
// Once f has returned the clock stands for good, and the bubble ends with its last fiber. When all that are left are
// durably blocked and no timer can wake one of them, that is a deadlock: the bubble's fibers are written to standard
// error (states, what they wait for, stacks), `canceled` is thrown at each, bound or not, so that destructors run, and
// bubble() throws synctest::deadlock. The same happens, but without that report, to those that are left when f ends by
// an exception. Fibers that then still do not end, for a second of the bubble's clock, end the process with status 2.
//
// What knows another time is refused with std::logic_error inside: weft::net, pipes of weft::io, wait_readable and
// wait_writable, signals::notify and notify_context, another bubble. Channels, timers and other primitives of the
// bubble are for its fibers alone: when something from outside has ended a durable wait (a thread, a fiber, a context
// that was cancelled there), bubble() throws std::logic_error at its end. A timer, or a context's deadline, that
// outlives its bubble does not fire any more. Other libraries' clocks and sleeps are not weft's: they go on as ever.
#pragma once
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "weft/detail/config.hpp"
#include "weft/time.hpp"

namespace weft::synctest {

// All fibers that a bubble had left were blocked for good. what() lists them, one a line.
class WEFT_API deadlock : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~deadlock() override;
};

}  // namespace weft::synctest

namespace weft::detail {
WEFT_API void run_bubble(void (*main)(void*), void* argument, std::source_location);
}  // namespace weft::detail

namespace weft::synctest {

// Runs f in a new bubble and gives its value, or its exception, once every fiber of the bubble has ended. Blocks until
// then; not a cancellation point: a cancel of the caller does not reach into the bubble. From a fiber, or from any
// other thread: where no runtime runs, it starts one. Throws deadlock; std::logic_error inside another bubble, or when
// the bubble was disturbed from outside.
template <std::invocable F>
  requires(!std::is_reference_v<std::invoke_result_t<F>>)
auto bubble(F&& f, std::source_location site = std::source_location::current()) -> std::invoke_result_t<F> {
  using function = std::remove_reference_t<F>;
  using R = std::invoke_result_t<F>;
  if constexpr (std::is_void_v<R>) {
    const auto main = [](void* p) { std::invoke(std::forward<F>(*static_cast<function*>(p))); };
    detail::run_bubble(main, std::addressof(f), site);
  } else {
    struct call {
      function* f;
      std::optional<R> value;
    } c{std::addressof(f), std::nullopt};
    const auto main = [](void* p) {
      auto& called = *static_cast<call*>(p);
      called.value.emplace(std::invoke(std::forward<F>(*called.f)));
    };
    detail::run_bubble(main, &c, site);
    return std::move(*c.value);
  }
}

// Returns when every other fiber of the bubble is durably blocked or has ended; no time passes for it. A cancellation
// point. One fiber of a bubble at a time, and only inside of one, else std::logic_error.
WEFT_API void wait();

enum class strategy : std::uint8_t {
  random,  // whoever can go on, at each point
  pct,     // by priorities that change at few points: finds what needs few changes, in long schedules too
};

struct explore_options {
  long seeds = 1000;
  std::uint64_t first_seed = 1;
  synctest::strategy strategy = synctest::strategy::random;
  int depth = 3;               // of pct: one more than the points at which priorities change
  unsigned processors = 2;     // how many fibers run at once, as far as one can tell
  timespan slack = 1ms;        // a timer may fire while others can still go on, when it is due within so long
  long max_steps = 1'000'000;  // a longer schedule has failed
};

struct exploration {
  long seeds = 0;  // that were run, the failed one included
  long steps = 0;  // in all of them
  bool failed = false;
  std::uint64_t seed = 0;  // the first that failed
  std::string what;        // how
};

// Runs f as the main fiber of a runtime of its own, once for each seed, under a schedule that the seed determines,
// until one fails. A runtime's threads are coroutines of one thread, and at each operation of its atomics, so at each
// step of a lock, a queue, a park, a wake-up, a timer or a cancel, the seed decides who goes on: weft's own code is
// explored, not a model of it, in every interleaving, and with stores that others see late, as on x86 (not: loads that
// are early). Between two such steps a fiber's own code runs alone.
//
// A schedule fails when an exception comes out of f; one escapes from another fiber, or the process crashes or is
// aborted; nobody can go on and no timer is set: a deadlock, or a wake-up that was lost; fibers are left a second after
// f has returned; or there is no end within max_steps. Then seed, last steps and fibers are written to standard error,
// and the result says which it was. With WEFT_SEED=n in the environment seed n alone is run: the same program takes the
// same steps.
//
// Each seed runs in a child process: what f writes to memory is lost, and f is not to rely on other threads. Its clock
// is virtual. Not from inside a runtime. Needs the library's variant weft::explore (CMake, WEFT_BUILD_EXPLORE) in place
// of weft::weft, and with it everything compiled that uses weft; elsewhere it throws std::logic_error.
WEFT_API exploration explore(const explore_options&, const std::function<void()>& f);

}  // namespace weft::synctest
