#include "runtime/sync/wait_scope.hpp"

#include "runtime/sched/park.hpp"
#include "runtime/sync/context_node.hpp"
#include "runtime/sync/own_context.hpp"
#include "weft/error.hpp"

namespace weft::runtime {

wait_scope::wait_scope(const context* ctx) noexcept
    : kind_(ctx == nullptr ? kind::bound : kind::given), node_(ctx == nullptr ? nullptr : canceler_of(ctx->node())) {}

wait_scope wait_scope::quiet() noexcept { return wait_scope(kind::none, nullptr); }

bool wait_scope::canceled(const fiber* self) const noexcept {
  switch (kind_) {
    case kind::bound:
      return cancel_pending(self);
    case kind::given:
      return node_ != nullptr && node_->state.load(acquire) != cancel_state::live;
    case kind::none:
      break;
  }
  return false;
}

bool wait_scope::begin(fiber* self, std::uint32_t& generation) noexcept {
  wait_mode mode = wait_mode::quiet;
  bool link = false;
  if (kind_ == kind::bound) {
    mode = bound_mode(self);
  } else if (kind_ == kind::given) {
    // The bound context itself, or one with the same fate: the fiber's own link does.
    const bool own = self->bound != nullptr && canceler_of(self->bound) == node_ && !shielded(self);
    mode = own ? wait_mode::cancelable : self->is_foreign() ? wait_mode::quiet : wait_mode::at_end;
    link = node_ != nullptr && !own;
  }
  const begun_wait wait = begin_wait(self, mode);
  if (wait.canceled) return false;
  generation = wait.generation;
  if (!link) return true;
  link_.waiter = self;
  link_.generation = generation;
  link_.one_wait = true;
  if (link_waiter(*node_, link_)) return true;
  self->word.abandon();  // failing: the end of the runtime claimed it just now, the same to us
  return false;
}

void wait_scope::end() noexcept {
  if (link_.linked.load(acquire)) unlink_waiter(*node_, link_);
}

namespace {

// False: what is cancelled is not the bound context but the run.
bool bound_is_canceled(const fiber* f) noexcept {
  const context_node* bound = f->bound;
  return bound != nullptr && canceler_of(bound) != nullptr &&
         canceler_of(bound)->state.load(acquire) != cancel_state::live;
}

context bound_context(const fiber* f) noexcept {
  detail::retain(f->bound);
  return context::adopt(f->bound);
}

}  // namespace

std::error_code bound_error(const fiber* f) noexcept {
  if (own_context* o = f->own.load(relaxed))
    if (const std::error_code e = error_of(*o)) return e;
  return bound_is_canceled(f) ? bound_context(f).err() : std::error_code(errc::canceled);
}

void throw_canceled(const fiber* f) {
  if (own_context* o = f->own.load(relaxed))
    if (const std::error_code e = error_of(*o)) throw canceled(e, cause_of(*o));
  if (bound_is_canceled(f)) {
    const context ctx = bound_context(f);
    throw canceled(ctx.err(), ctx.cause());
  }
  const char* const what = f->role == bubble_role::outside ? "the runtime has ended" : "the bubble has ended";
  throw canceled(errc::canceled, std::make_exception_ptr(std::system_error(errc::canceled, what)));
}

}  // namespace weft::runtime
