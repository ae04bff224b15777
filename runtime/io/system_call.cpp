#include "runtime/io/system_call.hpp"

#include <cerrno>
#include <system_error>

#include "arch/cancelable_syscall.hpp"
#include "runtime/sched/blocked.hpp"
#include "runtime/sched/interrupts.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sync/context_node.hpp"
#include "runtime/sync/wait_scope.hpp"

namespace weft::runtime {
namespace {

constexpr long k_last_error = -4095;
constinit const atomic<std::uint32_t> never{0};

long make_call(const atomic<std::uint32_t>& flag, long number, const std::array<long, 6>& a) noexcept {
  return weft_cancelable_syscall(&flag, number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

result<long> outcome(long value) noexcept {
  if (value < 0 && value >= k_last_error)
    return std::unexpected(std::error_code(static_cast<int>(-value), std::system_category()));
  return value;
}

// Links the call to the context that it was given; what cancels the call is then one flag of the fiber's.
class call_scope {
 public:
  call_scope(const context* ctx, fiber* self) noexcept : self_(self), given_(ctx) {
    const bool closed = shielded(self);
    cancel_node* const node = ctx == nullptr ? nullptr : canceler_of(ctx->node());
    const bool own = self->bound != nullptr && node == canceler_of(self->bound);
    if (ctx == nullptr || (own && !closed)) {
      flag_ = closed ? nullptr : &self->cancel;
      return;
    }
    flag_ = &self->cancel_given;
    self->cancel_given.fetch_and(k_run_ended, relaxed);
    link_.waiter = self;
    link_.one_call = true;
    if (node == nullptr) return;
    const section in;
    if (link_waiter(*node, link_))
      node_ = node;
    else
      self->cancel_given.fetch_or(k_given_canceled, relaxed);
  }
  ~call_scope() {
    if (node_ == nullptr) return;
    const section in;
    unlink_waiter(*node_, link_);  // passes the lock: a cancel that found the link has left it
  }
  call_scope(const call_scope&) = delete;
  call_scope& operator=(const call_scope&) = delete;

  const atomic<std::uint32_t>* flag() const noexcept { return flag_; }
  std::error_code error() const noexcept {
    const std::error_code e = given_ == nullptr ? bound_error(self_) : given_->err();
    return e ? e : std::error_code(errc::canceled);  // the end of the run
  }

 private:
  fiber* self_;
  const context* given_;
  const atomic<std::uint32_t>* flag_ = nullptr;
  cancel_node* node_ = nullptr;
  cancel_link link_;
};

}  // namespace

result<long> call_system(const context* ctx, long number, const std::array<long, 6>& a) noexcept {
  fiber* const self = running_fiber();
  if (self == nullptr) {
    if (const std::error_code e = ctx == nullptr ? std::error_code{} : ctx->err()) return std::unexpected(e);
    return outcome(make_call(never, number, a));
  }
  const call_scope scope(ctx, self);
  const atomic<std::uint32_t>& flag = scope.flag() == nullptr ? never : *scope.flag();
  detail::interrupt_record r;
  const bool entered = enter_blocking();
  open_interrupts(self, r, detail::interrupt_kind::leave_call, scope.flag());
  const long value = make_call(flag, number, a);
  close_interrupts(self, r);
  if (entered) leave_blocking();
  // EINTR: of a call that no handler lets restart, and that has done nothing.
  const bool canceled = value == arch::k_syscall_canceled || (value == -EINTR && flag.load(acquire) != 0);
  if (canceled) return std::unexpected(scope.error());
  return outcome(value);
}

}  // namespace weft::runtime
