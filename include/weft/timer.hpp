// Timers and tickers, with Go 1.23's rule: after stop() or reset() returns, no value from before is received.
//
// They are receivers: use them in select and in range-for. They fire while a runtime runs, never early. All members are
// thread-safe; none blocks. Destroying a timer or ticker stops it; release() lets it fire all the same.
#pragma once
#include <concepts>
#include <functional>
#include <utility>

#include "weft/channel.hpp"
#include "weft/time.hpp"

namespace weft {

namespace detail {
struct function_timer;
WEFT_API channel_core* make_timer_channel(timespan first, std::int64_t period);
WEFT_API bool stop_timer(channel_core*) noexcept;
WEFT_API bool reset_timer(channel_core*, timespan first, std::int64_t period) noexcept;
WEFT_API std::int64_t checked_period(timespan);  // throws std::logic_error unless positive
WEFT_API function_timer* make_function_timer(timespan, std::move_only_function<void()>);
WEFT_API bool stop_timer(function_timer*) noexcept;
WEFT_API bool reset_timer(function_timer*, timespan) noexcept;
WEFT_API void release_timer(function_timer*) noexcept;
}  // namespace detail

// A channel that gets the time once `d` has passed. Dropping the last handle frees the timer, fired or not.
WEFT_API recv_chan<clock::time_point> after(timespan d);

class [[nodiscard]] WEFT_API timer : public recv_chan<clock::time_point> {
 public:
  explicit timer(timespan d);
  timer(timer&& o) noexcept;
  timer& operator=(timer&& o) noexcept;
  ~timer();
  bool stop() const;             // true if it kept the timer from firing (or its value from being received)
  bool reset(timespan d) const;  // fires d from now; true if it was pending
  void release() noexcept;

 private:
  friend timer adopt_timer(detail::function_timer*) noexcept;
  timer() noexcept = default;
  detail::function_timer* function_ = nullptr;
};
WEFT_API timer adopt_timer(detail::function_timer*) noexcept;

// The time every `d`; drops ticks for a slow receiver. A period that is not positive throws std::logic_error.
class [[nodiscard]] WEFT_API ticker : public recv_chan<clock::time_point> {
 public:
  explicit ticker(timespan d);
  ticker(ticker&&) noexcept = default;
  ticker& operator=(ticker&& o) noexcept;
  ~ticker();
  void stop() const;
  void reset(timespan d) const;
};

// Runs f in a fiber of its own, unbound, once d has passed. The timer's channel is null.
template <std::invocable F>
timer after_func(timespan d, F&& f) {
  return adopt_timer(detail::make_function_timer(d, std::move_only_function<void()>(std::forward<F>(f))));
}

}  // namespace weft
