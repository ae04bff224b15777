#include "weft/detail/cancellation.hpp"

#include "runtime/sched/park.hpp"
#include "runtime/sync/wait_scope.hpp"
#include "weft/context.hpp"

namespace weft::detail {

void check_canceled() {
  if (const runtime::fiber* self = runtime::running_fiber()) runtime::throw_if_canceled(self);
}

result<void> check_canceled(const context& ctx) {
  if (const std::error_code e = ctx.err()) return std::unexpected(e);
  return {};
}

}  // namespace weft::detail
