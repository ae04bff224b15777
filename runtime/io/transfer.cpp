#include "runtime/io/transfer.hpp"

#include <algorithm>
#include <cerrno>

#include "runtime/base/clock.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/park.hpp"
#include "weft/channel.hpp"

namespace weft::runtime {
namespace {

ended failed(std::error_code e) noexcept { return {ended::how::failed, 0, e}; }

ended failed(wait_end e) noexcept {
  switch (e) {
    case wait_end::closed:
      return failed(errc::closed);
    case wait_end::timed_out:
      return failed(errc::deadline_exceeded);
    case wait_end::canceled:
    case wait_end::look_again:
      break;
  }
  return {ended::how::canceled, 0, {}};
}

bool late(socket_handle h, direction d, std::int64_t until) noexcept {
  until = std::min(until, h.record->deadline(d).load(relaxed));
  return until != k_forever && until <= now_ns();
}

}  // namespace

ended transfer(socket_handle h, direction d, const context* ctx, wait_reason reason, attempt f, const void* argument,
               std::int64_t until) {
  refuse_in_bubble("weft::net or weft::io");
  if (h.record == nullptr) return failed(errc::closed);
  fiber* const self = current_fiber();
  wait_scope scope(ctx);
  for (;;) {
    if (scope.canceled(self)) return failed(wait_end::canceled);
    heed_attention();
    const std::uint64_t seen = h.record->side(d).events.load(acquire);
    {
      const socket_use use(h);
      if (!use) return failed(errc::closed);
      if (late(h, d, until)) return failed(errc::deadline_exceeded);
      const long value = f(use.fd(), argument);
      if (value >= 0) return {ended::how::done, value, {}};
      if (value != -EAGAIN) return failed(std::error_code(static_cast<int>(-value), std::system_category()));
    }
    const wait_end e = await_socket(h, d, seen, scope, self, reason, until);
    if (e != wait_end::look_again) return failed(e);
  }
}

ended pause_on(socket_handle h, direction d, const context* ctx, wait_reason reason, std::int64_t ns) noexcept {
  fiber* const self = current_fiber();
  wait_scope scope(ctx);
  if (scope.canceled(self)) return failed(wait_end::canceled);
  const std::int64_t until = saturating_add(now_ns(), ns);
  const std::uint64_t seen = h.record->side(d).events.load(acquire);
  const wait_end e = await_socket(h, d, seen, scope, self, reason, until);
  const bool over = e == wait_end::timed_out && now_ns() < h.record->deadline(d).load(relaxed);
  if (over || e == wait_end::look_again) return {ended::how::done, 0, {}};
  return failed(e);
}

std::error_code error_in(const ended& e, const context* ctx) {
  if (e.what == ended::how::failed) return e.error;
  if (ctx == nullptr) throw_canceled(current_fiber());
  return detail::error_of_context(*ctx);
}

}  // namespace weft::runtime
