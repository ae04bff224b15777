// Doing something once: Go's sync.Once and sync.OnceValue.
#pragma once
#include <atomic>
#include <concepts>
#include <functional>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "weft/detail/atomic_of.hpp"
#include "weft/mutex.hpp"

namespace weft {

// The first call runs f; those that come meanwhile wait until it has ended, which is no cancellation point. If f
// throws (canceled, too) the exception goes to its caller and the once stays uncalled: the next call runs its f. A call
// inside f deadlocks. Any thread; the end of f happens before the return of every call.
class once {
 public:
  constexpr once() noexcept = default;
  once(const once&) = delete;
  once& operator=(const once&) = delete;

  template <std::invocable F>
  void call(F&& f) {
    if (called_.load(std::memory_order_acquire)) return;
    const std::lock_guard hold(running_);
    if (called_.load(std::memory_order_relaxed)) return;
    std::invoke(std::forward<F>(f));
    called_.store(true, std::memory_order_release);
  }

 private:
  detail::atomic_of<bool> called_{false};
  mutex running_;
};

// A value made by f at the first call, and the same one at every later call. As once: if f throws, the next call tries
// again. f and what it captured are gone once there is a value.
template <std::invocable F>
  requires std::is_object_v<std::invoke_result_t<F&>>
class once_value {
 public:
  explicit once_value(F f) : f_(std::move(f)) {}

  const std::invoke_result_t<F&>& operator()() {
    once_.call([&] {
      value_.emplace(std::invoke(*f_));
      f_.reset();
    });
    return *value_;
  }

 private:
  once once_;
  std::optional<F> f_;
  std::optional<std::invoke_result_t<F&>> value_;
};

}  // namespace weft
