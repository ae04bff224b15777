// Starting and stopping the scheduler.
#pragma once
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/detail/config.hpp"
#include "weft/time.hpp"

namespace weft {

// Each may also be set by the environment, which wins: WEFT_PROCESSORS, WEFT_STACK_SIZE (bytes, or with K or M),
// WEFT_SLICE, WEFT_DRAIN (a number with us, ms or s), WEFT_MAX_THREADS, WEFT_PREEMPTION (0 or 1).
struct runtime_options {
  unsigned processors = 0;            // 0: the CPUs this process may use (affinity, cgroup quota)
  std::size_t stack_size = 64 << 10;  // of a fiber; rounded up to a power of two, at least 16 KiB
  clock::duration slice = 10ms;       // a fiber that runs longer is asked to give way when others wait
  unsigned max_threads = 10'000;
  bool preemption = true;
  clock::duration drain = 1s;  // how long leftover fibers may go on after main has returned
};

// How many fibers run at once from here on: 1 to 1024; gives the number before. 0 changes nothing and only asks, as in
// Go's GOMAXPROCS. Blocks until it is in force: what ran, waited or was set on processors that go has been moved to
// others by then. One that is busy goes when its fiber can be interrupted, or reaches a point of its own: with
// `preemption` off, or within no_preempt, that may take its time. Not a cancellation point. Any thread, while a runtime
// runs, else std::logic_error; calls from several take turns. A larger number throws std::invalid_argument.
WEFT_API unsigned set_processors(unsigned);

namespace detail {
// Runs main(argument) as the first fiber and returns once the runtime has stopped.
WEFT_API void run_main(const runtime_options&, void (*main)(void*), void* argument, std::source_location);
}  // namespace detail

// Runs f as the first fiber, blocks the calling thread until it has returned and the runtime has stopped, and gives its
// value; an exception comes out. Throws std::invalid_argument for a bad option, naming it, and std::logic_error when a
// runtime is running. Leftover fibers get `drain` to end; then `canceled` is thrown at each at its next cancellation
// point, and it is reported on standard error. One that is left after a second `drain` ends the process with status 2.
// May be called again.
template <class F>
auto run(const runtime_options& options, F&& f, std::source_location site = std::source_location::current())
    -> std::invoke_result_t<F> {
  using R = std::invoke_result_t<F>;
  struct call {
    std::remove_reference_t<F>* f;
    std::exception_ptr error;
    std::optional<std::conditional_t<std::is_void_v<R>, bool,
                                     std::conditional_t<std::is_reference_v<R>, std::remove_reference_t<R>*, R>>>
        value;
  } c{std::addressof(f), nullptr, std::nullopt};
  detail::run_main(
      options,
      [](void* p) {
        call& called = *static_cast<call*>(p);
        try {
          if constexpr (std::is_void_v<R>)
            std::invoke(std::forward<F>(*called.f));
          else if constexpr (std::is_reference_v<R>)
            called.value.emplace(std::addressof(std::invoke(std::forward<F>(*called.f))));
          else
            called.value.emplace(std::invoke(std::forward<F>(*called.f)));
        } catch (...) {
          called.error = std::current_exception();
        }
      },
      &c, site);
  if (c.error) std::rethrow_exception(std::move(c.error));
  if constexpr (std::is_reference_v<R>)
    return static_cast<R>(**c.value);
  else if constexpr (!std::is_void_v<R>)
    return std::move(*c.value);
}

template <class F>
auto run(F&& f, std::source_location site = std::source_location::current()) -> std::invoke_result_t<F> {
  return run(runtime_options{}, std::forward<F>(f), site);
}

}  // namespace weft
