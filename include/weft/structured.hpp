// Children that end before the call returns: all, race, each; and a deadline in place: within.
//
// A child runs in a fiber of its own, bound to a context below the caller's bound one, and is joined before the call
// returns or throws: so [&] is safe, and functions are called where they are, neither copied nor moved. The joining is
// not cut short: a cancel of the caller cancels the children and waits for them. From within a shield, and on a fiber
// that is not bound, children are not cancelled from outside.
//
// A failure is an exception (`canceled` is one), an unsuccessful weft::result, or a std::error_code that is set. all,
// race and each are cancellation points: when the caller is cancelled already they throw before anything is started.
// All of it may be called from any thread.
#pragma once
#include <atomic>
#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <source_location>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "weft/detail/atomic_of.hpp"
#include "weft/group.hpp"
#include "weft/task.hpp"

namespace weft {

namespace detail {

template <class F>
using regular = std::conditional_t<std::is_void_v<std::invoke_result_t<F>>, std::monostate, std::invoke_result_t<F>>;

// What children hang on: the caller's bound context; while nothing may be thrown at the caller, or when it is not
// bound, one that is never cancelled.
WEFT_API context context_for_children();
// The same as a cancellation point.
WEFT_API context begin_children();

struct group_access {
  // Not ended by a cancel.
  WEFT_API static void join(group&) noexcept;
  static void fail(group& g, std::exception_ptr e, std::error_code code) noexcept { g.fail(std::move(e), code); }
  static bool failed(const group& g) noexcept { return g.failing_.load(std::memory_order_acquire) == told; }
  // Of one that failed and was joined. By exception: `canceled` counts as one here.
  static bool threw(const group& g) noexcept { return g.exception_ != nullptr; }
  // Rethrows; an error code as unwrap() does.
  [[noreturn]] WEFT_API static void throw_failure(const group&);

 private:
  static constexpr auto told = group::failing::told;
};

// Rebinds the caller, a foreign thread too.
class WEFT_API rebound {
 public:
  explicit rebound(const context&);
  ~rebound();
  rebound(const rebound&) = delete;
  rebound& operator=(const rebound&) = delete;

 private:
  context outer_;
};

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;
// Whether a value can say that there was a failure.
template <class T>
inline constexpr bool is_fallible = is_result<T> || std::is_same_v<T, std::error_code>;

template <class T>
std::error_code failure_in(const result<T>& r) noexcept {
  return error_of(r);
}
inline std::error_code failure_in(std::error_code e) noexcept { return e; }

// One child of all(): the function, by reference, and what it gave.
template <class F>
class child {
  using given = std::invoke_result_t<F>;
  using kept = std::conditional_t<std::is_reference_v<given>, std::remove_reference_t<given>*, regular<F>>;

 public:
  explicit child(F&& f) noexcept : f_(std::forward<F>(f)) {}

  result<void> operator()() {
    if constexpr (std::is_void_v<given>) {
      std::invoke(std::forward<F>(f_));
      value_.emplace();
    } else if constexpr (std::is_reference_v<given>) {
      value_.emplace(std::addressof(std::invoke(std::forward<F>(f_))));
    } else {
      value_.emplace(std::invoke(std::forward<F>(f_)));
      if constexpr (is_fallible<given>)
        if (const std::error_code e = failure_in(*value_)) return std::unexpected(e);
    }
    return {};
  }
  // Whether take() has something to give, if only a code.
  bool can_give() const noexcept { return value_.has_value() || is_fallible<given>; }
  regular<F> take() {
    if constexpr (std::is_reference_v<given>) {
      return static_cast<given>(**value_);
    } else {
      if constexpr (is_result<given>)
        if (!value_) return std::unexpected(make_error_code(errc::canceled));
      if constexpr (std::is_same_v<given, std::error_code>)
        if (!value_) return errc::canceled;
      return std::move(*value_);
    }
  }

 private:
  F&& f_;
  std::optional<kept> value_;
};

// The children of race() and what decides it.
template <class R>
class contest {
 public:
  explicit contest(group& g) noexcept : group_(&g) {}

  template <class F>
  void enter(F&& f, std::source_location site) {
    group_->go([this, &f] { run(std::forward<F>(f)); }, site);
  }
  R outcome() {
    if (group_access::failed(*group_)) group_access::throw_failure(*group_);
    if (!won_ && exception_ != nullptr) std::rethrow_exception(exception_);
    if constexpr (!std::is_void_v<R>) return std::move(won_ ? *value_ : *failure_);
  }

 private:
  using kept = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

  template <class F>
  void run(F&& f) {
    using given = std::invoke_result_t<F>;
    try {
      if constexpr (std::is_void_v<given>) {
        std::invoke(std::forward<F>(f));
        win({});
      } else if constexpr (is_fallible<std::remove_cvref_t<given>>) {
        decltype(auto) value = std::invoke(std::forward<F>(f));
        const bool failed = static_cast<bool>(failure_in(value));
        kept converted(std::forward<given>(value));
        if (!failed)
          win(std::move(converted));
        else if (!failed_.exchange(true, std::memory_order_relaxed))
          failure_.emplace(std::move(converted));
      } else {
        win(kept(std::invoke(std::forward<F>(f))));
      }
    } catch (...) {
      if (!failed_.exchange(true, std::memory_order_relaxed)) exception_ = std::current_exception();
    }
  }
  void win(kept value) {
    if (decided_.exchange(true, std::memory_order_relaxed)) return;
    value_.emplace(std::move(value));
    won_ = true;
    group_->cancel();
  }

  group* group_;
  // Each is written by the one child that set the flag, and read after the joining.
  detail::atomic_of<bool> decided_{false}, failed_{false};
  bool won_ = false;
  std::optional<kept> value_, failure_;
  std::exception_ptr exception_;
};

// An element of a range, for a child that may run when the range has moved on: a reference where that stays valid, else
// a value.
template <class R>
inline constexpr bool has_lasting_elements =
    std::ranges::forward_range<R> && std::is_lvalue_reference_v<std::ranges::range_reference_t<R>>;

template <class E, class F>
decltype(auto) call_with_own(F& f, E& element) {
  if constexpr (std::invocable<F&, E&&>)
    return std::invoke(f, std::move(element));
  else
    return std::invoke(f, element);
}
// As a member of a group gives it: other values than failures are dropped.
template <class Call>
auto only_failure(Call call) {
  using given = std::remove_cvref_t<std::invoke_result_t<Call>>;
  if constexpr (is_fallible<given>)
    return failure_in(call());
  else
    static_cast<void>(call());
}

template <class R, class F, class E>
void start_one(group& g, F& f, E&& element, std::source_location site) {
  if constexpr (has_lasting_elements<R>)
    g.go([&f,
          e = std::addressof(element)] { return only_failure([&]() -> decltype(auto) { return std::invoke(f, *e); }); },
         site);
  else
    g.go(
        [&f, e = std::remove_cvref_t<E>(std::forward<E>(element))]() mutable {
          return only_failure([&]() -> decltype(auto) { return call_with_own(f, e); });
        },
        site);
}

WEFT_API void check_limit(int);
// For the loop of each(): throws when the group is cancelled.
WEFT_API void throw_if_ended(const context&);

// The context of within(), bound to the caller.
class WEFT_API deadline_scope {
 public:
  explicit deadline_scope(timespan);
  // Whether the deadline has passed and nothing outside has ended.
  bool passed() const noexcept;

 private:
  context outer_;
  cancelable own_;
  rebound bound_;
};

}  // namespace detail

// Runs all at the same time; gives their values (std::monostate for void). The first failure cancels the rest: an
// exception is rethrown, the values are dropped; an error value stays in its place of the tuple, where children that
// were thrown out by it, and give such values too, have errc::canceled. When one of those gives no such value there is
// no tuple: then the error is thrown, as unwrap() does.
template <std::invocable... F>
auto all(F&&... f) -> std::tuple<detail::regular<F>...> {
  std::tuple<detail::child<F>...> children{detail::child<F>(std::forward<F>(f))...};
  group g(detail::begin_children());
  return std::apply(
      [&](auto&... c) {
        (g.go([&c] { return c(); }), ...);
        detail::group_access::join(g);
        if (detail::group_access::failed(g) && (detail::group_access::threw(g) || !(c.can_give() && ...)))
          detail::group_access::throw_failure(g);
        return std::tuple<detail::regular<F>...>{c.take()...};
      },
      children);
}

// Runs all at the same time; the first success cancels the rest, and is given once they have ended. When none succeeds,
// the first failure is rethrown, or given.
template <std::invocable... F>
auto race(F&&... f) -> std::common_type_t<std::invoke_result_t<F>...> {
  using R = std::common_type_t<std::invoke_result_t<F>...>;
  group g(detail::begin_children());
  detail::contest<R> c(g);
  (c.enter(std::forward<F>(f), std::source_location::current()), ...);
  detail::group_access::join(g);
  return c.outcome();
}

// f(element) for each element, each in a child, at most `limit` at a time (negative: all at once; zero throws
// std::logic_error). One f serves all, at the same time. The caller walks the range, bound to the children's context:
// the first failure ends the walk too, even where the range is blocked in a cancellation point. Throws the first
// failure once the children have ended: an exception, or an error value as unwrap() does. Elements are passed by
// reference where the range keeps them, else moved.
template <std::ranges::input_range R, class F>
void each(R&& range, int limit, F&& f, std::source_location site = std::source_location::current()) {
  detail::check_limit(limit);
  group g(detail::begin_children());
  g.set_limit(limit);
  try {
    const detail::rebound here(g.context());
    for (auto&& element : range) {
      detail::throw_if_ended(g.context());
      detail::start_one<R>(g, f, std::forward<decltype(element)>(element), site);
    }
  } catch (const canceled& c) {
    detail::group_access::fail(g, std::current_exception(), c.code());
  } catch (...) {
    detail::group_access::fail(g, std::current_exception(), {});
  }
  detail::group_access::join(g);
  if (detail::group_access::failed(g)) detail::group_access::throw_failure(g);
}

// Calls f here, under a context with a deadline that this fiber is bound to meanwhile. Gives what f gives (a result is
// not wrapped again), errc::deadline_exceeded when the deadline threw `canceled` out of f; when an outer context has
// ended too, or for another reason, `canceled` passes, as every exception does. Code that reaches no cancellation point
// is not cut short, nor is a shielded caller.
template <std::invocable F>
auto within(timespan d, F&& f) -> detail::flat<std::invoke_result_t<F>> {
  const detail::deadline_scope scope(d);
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      std::invoke(std::forward<F>(f));
      return {};
    } else {
      return std::invoke(std::forward<F>(f));
    }
  } catch (const canceled&) {
    if (scope.passed()) return std::unexpected(make_error_code(errc::deadline_exceeded));
    throw;
  }
}

}  // namespace weft
