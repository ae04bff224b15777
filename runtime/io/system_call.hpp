// System calls that a cancel cuts short, for weft's own input and output.
//
// The call blocks its thread, as within blocking(f), and the processor serves others meanwhile. Cancelled before it
// begins or while it blocks, it does not happen; once it has done something (bytes moved, a connection accepted) it has
// happened, whatever is cancelled. So nothing is consumed by a call that reports cancellation.
// EINTR without a cancel is passed on, for calls that no handler lets restart (signal(7)).
// On a foreign thread a cancel is seen before the call only.
#pragma once
#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>

#include "weft/context.hpp"
#include "weft/error.hpp"

namespace weft::runtime {

// `ctx` null: the bound context, unless the fiber is shielded. The value, or the system's error, or errc::canceled or
// deadline_exceeded; nothing is thrown, the caller who was given no context does that (throw_if_canceled).
result<long> call_system(const context* ctx, long number, const std::array<long, 6>& arguments) noexcept;

template <class A>
long as_word(A a) noexcept {
  if constexpr (std::is_pointer_v<A>)
    return reinterpret_cast<long>(a);
  else if constexpr (std::is_null_pointer_v<A>)
    return 0;
  else
    return static_cast<long>(a);
}

template <class... A>
  requires(sizeof...(A) <= 6 && ((std::is_pointer_v<A> || std::is_null_pointer_v<A> || std::integral<A>) && ...))
result<long> cancelable_syscall(const context* ctx, long number, A... arguments) noexcept {
  return call_system(ctx, number, {as_word(arguments)...});
}

}  // namespace weft::runtime
