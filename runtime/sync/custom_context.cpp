// Users' own contexts.
#include <exception>
#include <system_error>
#include <utility>

#include "runtime/sched/scheduler.hpp"
#include "runtime/sync/context_node.hpp"
#include "runtime/sync/value_nodes.hpp"
#include "weft/fiber.hpp"
#include "weft/select.hpp"

namespace weft {

context_base::context_base(context parent) : parent_(std::move(parent)) {}
context_base::~context_base() = default;
std::optional<clock::time_point> context_base::deadline() const { return parent_.deadline(); }
const recv_chan<void>& context_base::done() const { return parent_.done(); }
std::error_code context_base::err() const noexcept { return parent_.err(); }
std::exception_ptr context_base::cause() const { return parent_.cause(); }
const void* context_base::value(const void* key) const noexcept { return detail::find_value(parent_.node(), key); }

namespace runtime {

void destroy_custom(custom_node* n) noexcept {
  if (n->gone) n->gone.close();
  delete n;
}

std::exception_ptr cause_of(const context_base& user) {
  const std::error_code err = user.err();
  if (!err) return nullptr;
  const std::exception_ptr own = user.cause();
  return own != nullptr ? own : std::make_exception_ptr(std::system_error(err));
}

namespace {

cancel_state state_of(const context_base& user) noexcept {
  return user.err() == errc::deadline_exceeded ? cancel_state::deadline_exceeded : cancel_state::canceled;
}

// Cancels the canceler as soon as the user's channel closes.
void follow(const std::shared_ptr<context_base>& user, const context& follower, const chan<void>& gone) {
  detail::launch({.name = "weft:follow context"}, std::source_location::current(),
                 [user, follower, gone, closed = recv_chan<void>(user->done())] {
                   if (select(closed, gone, background().done()) != 0) return;
                   const cancel_cause cause = cause_of(*user);
                   cancel(*static_cast<cancel_node*>(follower.node()), state_of(*user), &cause);
                 });
}

}  // namespace
}  // namespace runtime

namespace detail {

context_node* make_custom_node(std::shared_ptr<context_base> user) {
  using namespace runtime;
  const context& parent = user->parent();
  const bool own_done = user->done() != parent.done();
  auto* n = new custom_node(shared(parent.node()), canceler_of(parent.node()), std::move(user));
  if (!own_done) return n;
  n->follower = context::adopt(make_cancel_node(without_cancel(parent)));
  n->canceler = static_cast<cancel_node*>(n->follower.node());
  if (n->user->err()) {
    const cancel_cause cause = cause_of(*n->user);
    cancel(*n->canceler, state_of(*n->user), &cause);
  } else if (sched().running()) {
    n->gone = chan<void>();
    follow(n->user, n->follower, n->gone);
  }
  return n;
}

}  // namespace detail
}  // namespace weft
