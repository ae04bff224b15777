#include "runtime/event/interrupt.hpp"

#include <dlfcn.h>

#include <cerrno>

#include "arch/arch.hpp"
#include "arch/cancelable_syscall.hpp"
#include "arch/interruptible.hpp"
#include "runtime/event/frame_walk.hpp"
#include "runtime/event/own_code.hpp"
#include "runtime/event/safe_point.hpp"
#include "runtime/event/slow_calls.hpp"
#include "runtime/stack/stack.hpp"

namespace weft::runtime {
namespace {

using detail::interrupt_kind;
using detail::interrupt_record;

constexpr int k_most_frames = 1000;  // of f's; a recursion deeper than that is waited for

template <class T>
std::uintptr_t address_of(T* at) noexcept {
  return reinterpret_cast<std::uintptr_t>(at);
}

bool on_stack(const fiber& f, std::uintptr_t sp, std::uintptr_t below) noexcept {
  return sp >= address_of(f.stack->low) && sp <= below;
}

bool as_it_began(const worker_view& m, const fiber& f, const interrupt_record& r) noexcept {
  return f.shields == 0 && m.exceptions->caught == r.caught && m.exceptions->uncaught == r.uncaught;
}

// Whether all that lies between the interrupted place and the trampoline may be forgotten.
bool may_abandon(const interrupt_record& r, const ucontext_t& u) noexcept {
  dl_find_object own;
  if (::_dl_find_object(reinterpret_cast<void*>(r.code), &own) != 0 || holds_libraries(own)) return false;
  frame_walk walk(u, r.frame);
  for (int i = 0; i < k_most_frames; ++i) {
    if (!holds(own, walk.place()) || !walk.read()) return false;
    if (walk.entry().has_lsda || walk.entry().signal_frame || !walk.step()) return false;
    if (walk.pc() == address_of(weft_interruptible_called)) return walk.sp() == r.frame;
  }
  return false;
}

bool abandon(const worker_view& m, const fiber& f, interrupt_record& r, ucontext_t& u) noexcept {
  if (r.frame == 0 || f.no_preempts.load(relaxed) != 0 || f.bound != r.bound || !as_it_began(m, f, r)) return false;
  if (!on_stack(f, arch::frame_sp(u), r.frame) || !may_abandon(r, u)) return false;
  r.left = arch::frame_sp(u);
  arch::resume_at(u, address_of(weft_interruptible_abandoned), r.frame);
  return true;
}

// Whether the interrupted code is that of a signal handler which blocks nothing, not even its own signal, above the
// record's frame on the same stack. Code without tables hides what is below it: it counts as none.
bool in_signal_handler(const interrupt_record& r, const ucontext_t& u) noexcept {
  frame_walk walk(u, address_of(&r));
  for (int i = 0; i < k_most_frames && walk.read(); ++i) {
    if (walk.entry().signal_frame) return true;
    if (!walk.step()) break;
  }
  return false;
}

bool end_call(const worker_view& m, const fiber& f, const interrupt_record& r, ucontext_t& u) noexcept {
  if (!as_it_began(m, f, r) || !on_stack(f, arch::frame_sp(u), address_of(&r))) return false;
  if (!arch::frame_at_system_call(u) || !at_slow_call(u) || in_signal_handler(r, u)) return false;
  arch::skip_system_call(u, -EINTR);
  return true;
}

bool leave_call(ucontext_t& u) noexcept {
  const std::uintptr_t pc = arch::frame_pc(u);
  if (pc < address_of(weft_cancelable_syscall_begin) || pc >= address_of(weft_cancelable_syscall_end)) return false;
  arch::set_frame_pc(u, address_of(weft_cancelable_syscall_canceled));
  return true;
}

}  // namespace

bool interrupt_running(worker_view& m, fiber& f, ucontext_t& u, const sigset_t& mask) noexcept {
  const atomic<std::uint32_t>* const flag = f.heeded.load(acquire);
  if (flag == nullptr || flag->load(acquire) == 0) return false;
  interrupt_record& r = *f.interrupts;
  switch (r.kind) {
    case interrupt_kind::abandon:
      return same_mask(u.uc_sigmask, mask) && abandon(m, f, r, u);
    case interrupt_kind::end_calls:
      return same_mask(u.uc_sigmask, mask) && end_call(m, f, r, u);
    case interrupt_kind::leave_call:
      return leave_call(u);
  }
  return false;
}

}  // namespace weft::runtime
