// Calls that block the thread.
#pragma once
#include <concepts>
#include <functional>
#include <utility>

#include "weft/detail/config.hpp"
#include "weft/detail/interrupt.hpp"

namespace weft {

namespace detail {
class WEFT_API blocking_scope {
 public:
  blocking_scope() noexcept;
  ~blocking_scope();
  blocking_scope(const blocking_scope&) = delete;
  blocking_scope& operator=(const blocking_scope&) = delete;

 private:
  bool entered_;
  void* self_;
  interrupt_record interrupt_;
};
}  // namespace detail

// Calls f, which may block its thread (a system call, a lock of another library); meanwhile the processor serves other
// fibers. The value of f is returned, an exception passes. No weft call that parks may be made inside f. On a foreign
// thread: just the call.
//
// Cancellation: f is called even when the bound context is cancelled, and its value is returned; the next point throws.
// From a cancel on, each of f's system calls that can end with EINTR (signal(7), without ioctl) ends so, also when
// SA_RESTART would have it restarted; one may be cut short before it has begun. Code that tries again upon EINTR is not
// stopped by that. In a shield, while unwinding, and under ThreadSanitizer: nothing of that.
template <std::invocable F>
auto blocking(F&& f) -> std::invoke_result_t<F> {
  const detail::blocking_scope s;
  return std::invoke(std::forward<F>(f));
}

}  // namespace weft
