// Try, and wait only if it would block: what every operation on a socket does.
//
// In this order: cancelled, and nothing is tried; past the deadline, the same; closed. An attempt that has done
// something counts, whatever is cancelled meanwhile.
#pragma once
#include <cstdint>

#include "runtime/event/interrupt.hpp"
#include "runtime/io/socket.hpp"
#include "weft/context.hpp"

namespace weft::runtime {

// How an operation ended: a value, or why there is none.
struct ended {
  enum class how : std::uint8_t { done, failed, canceled };
  how what;
  long value;             // when done
  std::error_code error;  // when failed
  [[no_unique_address]] not_abandoned kept{};
};

// Makes the system call once: its value or the negative error; -EAGAIN: wait and try again.
using attempt = long (*)(int fd, const void* argument);

// `until` bounds it besides the socket's deadline. `ctx` null: the bound context; nothing is thrown yet. Throws
// std::logic_error in a synctest bubble.
ended transfer(socket_handle, direction, const context* ctx, wait_reason, attempt, const void* argument,
               std::int64_t until = k_forever);

// The same for a function, or an object that is called as one.
template <class F>
ended transfer(socket_handle h, direction d, const context* ctx, wait_reason why, F f, std::int64_t until = k_forever) {
  const attempt call = [](int fd, const void* a) -> long { return (*static_cast<const F*>(a))(fd); };
  return transfer(h, d, ctx, why, call, static_cast<const void*>(&f), until);
}

// One wait, for what an operation waits for besides: it ends after `ns` at the latest. Not done: how it ended.
ended pause_on(socket_handle, direction, const context* ctx, wait_reason, std::int64_t ns) noexcept;

// What the caller is told; throws `canceled` for the bound context.
std::error_code error_in(const ended&, const context* ctx);
inline result<std::size_t> conclude(const ended& e, const context* ctx) {
  if (e.what == ended::how::done) return static_cast<std::size_t>(e.value);
  return std::unexpected(error_in(e, ctx));
}

}  // namespace weft::runtime
