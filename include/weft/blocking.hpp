// Calls that block the thread.
#pragma once
#include <concepts>
#include <functional>
#include <utility>

#include "weft/detail/config.hpp"

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
};
}  // namespace detail

// Calls f, which may block its thread (a system call, a lock of another library); meanwhile the processor serves other
// fibers. The value of f is returned, an exception passes. No weft call that parks may be made inside f. On a foreign
// thread: just the call.
template <std::invocable F>
auto blocking(F&& f) -> std::invoke_result_t<F> {
  const detail::blocking_scope s;
  return std::invoke(std::forward<F>(f));
}

}  // namespace weft
