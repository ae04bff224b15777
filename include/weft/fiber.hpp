// Starting fibers, and what a fiber may say about itself.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include "weft/context.hpp"
#include "weft/detail/launch.hpp"

namespace weft {

struct spawn_options {
  std::string name{};          // for dumps and reports; the first 23 bytes are kept
  std::size_t stack_size = 0;  // 0: runtime_options::stack_size
  context bound{};             // a cancel of it is thrown inside the fiber; background(): unbound
  // Interrupted in the middle of a computation the fiber may go on on another thread, so that no thread waits with it.
  // To be set for code that uses no thread-local, errno among them, and holds nothing that belongs to a thread: a
  // std::mutex, a std::stop_source's running callbacks. It leaves its thread only in the object file of its own
  // function, with no other library's function under way (weft's file counts as its own); elsewhere it is interrupted
  // like any other.
  bool migratable = false;
};

// Runs f, moved or copied, in a fiber of its own, detached and unbound. Never blocks; callable from any thread while a
// runtime runs, else throws std::logic_error. An exception that escapes f ends the process after a report; `canceled`
// escaping is an ordinary end.
template <std::invocable F>
void go(F&& f, std::source_location site = std::source_location::current()) {
  detail::launch({}, site, std::forward<F>(f));
}
// Bound: a cancel of ctx is thrown as `canceled` at the fiber's next cancellation point.
template <std::invocable F>
void go(const context& ctx, F&& f, std::source_location site = std::source_location::current()) {
  detail::launch({.bound = &ctx}, site, std::forward<F>(f));
}
template <std::invocable F>
void go(const spawn_options& o, F&& f, std::source_location site = std::source_location::current()) {
  detail::launch({&o.bound, o.name, o.stack_size, o.migratable}, site, std::forward<F>(f));
}

enum class fiber_id : std::uint64_t {};

// Calls from a thread that runs no fiber throw std::logic_error.
namespace this_fiber {
WEFT_API void yield();  // lets the others that are ready run first; cancellation point
WEFT_API void poll();   // cancellation point, and the place to be preempted in a long computation; a few nanoseconds
// Cancellation points; never end early. Of timers that come thick, four and more within 0.1 ms, an idle runtime serves
// the first with the last. Also on a foreign thread.
WEFT_API void sleep_for(timespan);
WEFT_API void sleep_until(clock::time_point);
// What the fiber is bound to; background() when unbound. A task's own context is made when the task first asks for it:
// so it may throw std::bad_alloc.
WEFT_API weft::context context();
WEFT_API fiber_id id();
WEFT_API void set_name(std::string_view);
}  // namespace this_fiber

// Under ctx in place of the bound context: the error when ctx ends the sleep.
WEFT_API result<void> sleep_for(const context& ctx, timespan);
WEFT_API result<void> sleep_until(const context& ctx, clock::time_point);

// Within the scope nothing is thrown at this fiber; the next cancellation point after it throws. On a foreign thread it
// does nothing.
class WEFT_API shield_scope {
 public:
  shield_scope() noexcept;
  ~shield_scope();
  shield_scope(const shield_scope&) = delete;
  shield_scope& operator=(const shield_scope&) = delete;
};

template <std::invocable F>
auto shield(F&& f) -> std::invoke_result_t<F> {
  const shield_scope s;
  return std::invoke(std::forward<F>(f));
}

// Ties the fiber to the thread it runs on: until it is undone as often, or the fiber ends, the fiber runs on that
// thread alone, and nobody else runs there. For libraries that keep a thread's identity or thread-locals over calls
// that park. Each park and wake costs a hand-over between threads. Neither blocks for long nor is a cancellation point.
// Throws std::logic_error on a thread that runs no fiber; unlock without a lock throws it too. As runtime.LockOSThread
// in Go.
WEFT_API void lock_os_thread();
WEFT_API void unlock_os_thread();

// Within the scope the fiber is not preempted, neither by request nor by signal. A thread that blocks in the kernel
// loses its processor all the same, and has one again when the next scope begins.
class WEFT_API no_preempt {
 public:
  no_preempt() noexcept;
  ~no_preempt();
  no_preempt(const no_preempt&) = delete;
  no_preempt& operator=(const no_preempt&) = delete;
};

// Rebinds this fiber to another context until the end of the scope; scopes nest.
class WEFT_API bind_scope {
 public:
  explicit bind_scope(context);
  explicit bind_scope(cancelable&&);  // owns the cancel function too
  ~bind_scope();
  bind_scope(const bind_scope&) = delete;
  bind_scope& operator=(const bind_scope&) = delete;

 private:
  context outer_;
  cancel_func cancel_;
};

// Runs f at the end of the scope, shielded. Go's defer, by scope instead of by function.
template <class F>
class [[nodiscard]] defer {
 public:
  explicit defer(F f) : f_(std::move(f)) {}
  ~defer() {
    const shield_scope s;
    f_();
  }
  defer(const defer&) = delete;
  defer& operator=(const defer&) = delete;

 private:
  F f_;
};

}  // namespace weft
