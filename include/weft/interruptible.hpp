// Computations that a cancel ends wherever they are.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "weft/detail/config.hpp"
#include "weft/error.hpp"

namespace weft {

namespace detail {
// Calls f(argument); an error: f was not called, or was abandoned.
WEFT_API std::error_code run_interruptible(void (*f)(void*), void* argument);

template <class R>
concept abandonable = std::is_void_v<R> || std::is_trivially_copyable_v<R>;
}  // namespace detail

// Calls f, a computation without cancellation points. When the fiber's bound context is cancelled meanwhile, f is
// abandoned in the middle, at an instruction nobody chose, and errc::canceled or errc::deadline_exceeded is the result;
// if it is cancelled already, f is not called.
//
// Nothing of f is undone and nothing in it destroyed. So f owns nothing: no memory, no lock, no fiber, no
// function-local static that it initialises. What it wrote through references is indeterminate unless atomic. As a net
// below that rule, f is not abandoned in code of other object files (libc, malloc, other libraries), while a function
// with destructors or handlers that an exception would enter, or that is noexcept and calls what may throw, is on its
// stack, while it stands in a shield or no_preempt or has bound itself to another context, nor where it has no unwind
// tables; it goes on until that is over. Code of weft's may be among f's own when weft is linked statically: what f
// calls of weft should be no more than poll().
//
// Blocks as f does; f may park, and is then cancelled as everywhere. An exception passes. Nested ones end from the
// innermost. Shielded, within no_preempt, on a foreign thread and in a program without dynamic libraries it is just the
// call, and under ThreadSanitizer, which does not deliver signals where they strike, f runs to its end.
template <std::invocable F>
  requires detail::abandonable<std::invoke_result_t<F>>
auto interruptible(F&& f) -> result<std::invoke_result_t<F>> {
  using value_type = std::invoke_result_t<F>;
  if constexpr (std::is_void_v<value_type>) {
    auto* g = std::addressof(f);
    const auto call = [](void* p) { std::forward<F> (**static_cast<decltype(g)*>(p))(); };
    if (const std::error_code e = detail::run_interruptible(call, &g)) return std::unexpected(e);
    return {};
  } else {
    using plain = std::remove_cv_t<value_type>;
    struct calling {
      std::remove_reference_t<F>* f;
      alignas(plain) std::byte value[sizeof(plain)];
    } c;
    c.f = std::addressof(f);
    // Not placement new: for an exception out of f it has something to undo, by which f could not be left.
    const auto call = [](void* p) {
      auto& to = *static_cast<calling*>(p);
      const plain value = std::forward<F>(*to.f)();
      std::memcpy(to.value, &value, sizeof value);
    };
    if (const std::error_code e = detail::run_interruptible(call, &c)) return std::unexpected(e);
    return *std::launder(reinterpret_cast<plain*>(c.value));
  }
}

}  // namespace weft
