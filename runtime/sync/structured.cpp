#include "weft/structured.hpp"

#include "runtime/sched/park.hpp"
#include "runtime/sync/context_node.hpp"
#include "runtime/sync/own_context.hpp"
#include "runtime/sync/value_nodes.hpp"
#include "runtime/sync/wait_scope.hpp"

namespace weft::detail {

using namespace runtime;

context context_for_children() {
  fiber* self = current_fiber();
  context_node* const node = bound_node(self);
  if (node == nullptr) {
    // Not the root: a fiber that is not bound is not thrown at when main returns, nor are its children.
    static const context* const never = new context(without_cancel(background()));
    return *never;
  }
  const context bound = context::adopt(shared(node));
  return shielded(self) ? without_cancel(bound) : bound;
}

context begin_children() {
  if (const fiber* self = running_fiber()) throw_if_canceled(self);
  return context_for_children();
}

void group_access::join(group& g) noexcept {
  const shield_scope s;
  g.members_.wait();
}

void group_access::throw_failure(const group& g) {
  if (g.exception_ != nullptr) std::rethrow_exception(g.exception_);
  unwrap(result<void>(std::unexpected(g.code_)));
  std::unreachable();
}

rebound::rebound(const context& ctx) : outer_(rebind(current_fiber(), ctx)) {}
rebound::~rebound() { rebind(current_fiber(), outer_); }

void check_limit(int limit) {
  if (limit == 0) throw std::logic_error("weft::each: a limit of zero");
}

void throw_if_ended(const context& ctx) {
  if (const std::error_code e = ctx.err()) throw canceled(e, ctx.cause());
}

deadline_scope::deadline_scope(timespan d)
    : outer_(context_for_children()), own_(with_timeout(outer_, d)), bound_(own_.ctx) {}

bool deadline_scope::passed() const noexcept { return own_.ctx.err() == errc::deadline_exceeded && !outer_.err(); }

}  // namespace weft::detail
