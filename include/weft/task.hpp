// spawn: a fiber with a result.
#pragma once
#include <atomic>
#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>

#include "weft/detail/task_core.hpp"
#include "weft/fiber.hpp"

namespace weft {

namespace detail {

template <class T>
struct flat_of {
  using type = std::expected<T, std::error_code>;
};
template <class T>
struct flat_of<std::expected<T, std::error_code>> {
  using type = std::expected<T, std::error_code>;
};
template <class T>
using flat = typename flat_of<T>::type;

// Shared by the fiber and the handle.
template <class R>
struct task_state : task_core {
  using task_core::task_core;

  std::optional<std::conditional_t<std::is_void_v<R>, std::monostate,
                                   std::conditional_t<std::is_reference_v<R>, std::remove_reference_t<R>*, R>>>
      value;

  // After the fiber's end.
  R take() {
    end_own(own);
    if (error) std::rethrow_exception(std::exchange(error, nullptr));
    if constexpr (std::is_reference_v<R>)
      return static_cast<R>(**value);
    else if constexpr (!std::is_void_v<R>)
      return std::move(*value);
  }
};

// The closure of a task's fiber, destroyed shielded. A task whose fiber never ran ends as canceled.
template <class R, class F>
class task_body {
 public:
  template <class G>
  task_body(task_state<R>* s, G&& f) : state_(s), f_(std::forward<G>(f)) {}
  task_body(task_body&& o) noexcept(std::is_nothrow_move_constructible_v<F>) : state_(o.state_), f_(std::move(o.f_)) {
    o.state_ = nullptr;
  }
  // What f captured is gone before anybody hears that the task is over.
  ~task_body() {
    if (state_ == nullptr) return;
    f_.reset();
    if (!state_->value && !state_->error) {
      const std::error_code code = errc::canceled;
      state_->error = std::make_exception_ptr(canceled(code, std::make_exception_ptr(std::system_error(code))));
    }
    if (!end_task(*state_)) delete state_;
  }
  void operator()() {
    try {
      if constexpr (std::is_void_v<R>) {
        std::invoke(std::move(*f_));
        state_->value.emplace();
      } else if constexpr (std::is_reference_v<R>) {
        state_->value.emplace(std::addressof(std::invoke(std::move(*f_))));
      } else {
        state_->value.emplace(std::invoke(std::move(*f_)));
      }
    } catch (...) {
      state_->error = std::current_exception();
    }
  }

 private:
  task_state<R>* state_;
  std::optional<F> f_;
};

[[noreturn]] WEFT_API void throw_no_task();

}  // namespace detail

// The handle of a spawned fiber. Its destructor cancels and joins, shielded, and drops the result; detach() lets go.
// One thread at a time. done() and cancel() may be called by several at once, but not beside join, detach, a move or
// the destructor.
template <class R>
class [[nodiscard]] task {
 public:
  task() noexcept = default;
  explicit task(std::unique_ptr<detail::task_state<R>> s) noexcept : state_(std::move(s)) {}
  task(task&&) noexcept = default;
  task& operator=(task&& o) noexcept {
    if (this != &o) {
      end();
      state_ = std::move(o.state_);
    }
    return *this;
  }
  ~task() { end(); }

  // Blocks until the fiber has ended; gives its value or rethrows. Once. Cancellation point: throws canceled, the task
  // goes on.
  R join() {
    detail::await_task(state(), nullptr);
    return std::exchange(state_, nullptr)->take();
  }
  // Under ctx in place of the bound context. Rethrows what the task threw, but `canceled`, which becomes the error.
  detail::flat<R> join(const context& ctx) {
    if (!detail::await_task(state(), &ctx)) return std::unexpected(detail::error_of_context(ctx));
    const auto s = std::exchange(state_, nullptr);
    try {
      if constexpr (std::is_void_v<R>) {
        s->take();
        return {};
      } else {
        return s->take();
      }
    } catch (const canceled& c) {
      return std::unexpected(c.code());
    }
  }
  // Closes when the fiber has ended.
  const recv_chan<void>& done() const { return detail::done_of(state()); }
  // Cancels the context the fiber is bound to.
  void cancel() const noexcept {
    if (state_ != nullptr) detail::cancel_own(state_->own);
  }
  void detach() noexcept {
    detail::task_state<R>* const s = state_.release();
    if (s != nullptr && detail::let_go_of(*s)) delete s;
  }

 private:
  detail::task_state<R>& state() const {
    if (state_ == nullptr) detail::throw_no_task();
    return *state_;
  }
  void end() noexcept {
    if (state_ == nullptr) return;
    const shield_scope s;
    detail::cancel_own(state_->own);
    detail::outlast_task(*state_);
    state_ = nullptr;
  }
  std::unique_ptr<detail::task_state<R>> state_;
};

namespace detail {
template <class F>
auto spawn(const context& parent, const launch_options& options, std::source_location site, F&& f) {
  using R = std::invoke_result_t<F>;
  auto state = std::make_unique<task_state<R>>(parent);
  launch_options bound = options;
  bound.own = &state->own;
  launch(bound, site, task_body<R, std::decay_t<F>>(state.get(), std::forward<F>(f)));
  return task<R>(std::move(state));
}
}  // namespace detail

// Runs f in a fiber of its own, bound to a context that task::cancel() cancels and that derives from ctx, or from
// background(). join() ends that context before it gives the task's value or exception, detach() does not.
template <std::invocable F>
auto spawn(F&& f, std::source_location site = std::source_location::current()) -> task<std::invoke_result_t<F>> {
  return detail::spawn(background(), {}, site, std::forward<F>(f));
}
template <std::invocable F>
auto spawn(const context& ctx, F&& f, std::source_location site = std::source_location::current())
    -> task<std::invoke_result_t<F>> {
  return detail::spawn(ctx, {}, site, std::forward<F>(f));
}

}  // namespace weft
