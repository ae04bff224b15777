#include "runtime/fiber/execution.hpp"

#include "arch/jump.hpp"
#include "runtime/fiber/worker_view.hpp"

#if WEFT_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if WEFT_ASAN
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if WEFT_VALGRIND
#include <valgrind/valgrind.h>
#endif

namespace weft::runtime {
namespace {

using boost::context::detail::transfer_t;

void annotate_before(execution& from, const execution& to, [[maybe_unused]] bool for_ever) noexcept {
#if WEFT_ASAN
  __sanitizer_start_switch_fiber(for_ever ? nullptr : &from.asan_fake_stack, to.asan_bottom, to.asan_size);
#endif
#if WEFT_TSAN
  __tsan_switch_to_fiber(to.tsan_fiber, 0);
#endif
  static_cast<void>(from);
  static_cast<void>(to);
}

// On the new side: completes the predecessor's saved state, and takes the exception state along.
worker* take_over(transfer_t from, execution& self) noexcept {
  worker* m = static_cast<worker*>(from.data);
  const worker_view& v = view_of(m);
#if WEFT_ASAN
  __sanitizer_finish_switch_fiber(self.asan_fake_stack, nullptr, nullptr);
#endif
  v.leaving->registers = from.fctx;
  v.leaving->exceptions = *v.exceptions;
  *v.exceptions = self.exceptions;
  return m;
}

}  // namespace

[[gnu::noinline]] worker* switch_execution(worker* m, execution& from, execution& to) noexcept {
  view_of(m).leaving = &from;
  annotate_before(from, to, false);
  return take_over(weft_jump(to.registers, m), from);
}

weft_departure leave_execution(worker* m, execution& from, const execution& to) noexcept {
  view_of(m).leaving = &from;
  annotate_before(from, to, true);
#if WEFT_TSAN || WEFT_ASAN
  weft_jump(to.registers, m);  // returns are noted among the calls of `to` by now, and touch a fake stack that has gone
#endif
  return {to.registers, m};
}

worker* arrive(transfer_t from, execution& self) noexcept { return take_over(from, self); }

void annotate_create([[maybe_unused]] execution& e, [[maybe_unused]] const void* bottom,
                     [[maybe_unused]] unsigned long size) noexcept {
#if WEFT_TSAN
  e.tsan_fiber = __tsan_create_fiber(0);
#endif
#if WEFT_ASAN
  e.asan_fake_stack = nullptr;
  e.asan_bottom = bottom;
  e.asan_size = size;
#endif
#if WEFT_VALGRIND
  e.valgrind_stack = VALGRIND_STACK_REGISTER(bottom, static_cast<const char*>(bottom) + size - 1);
#endif
}

void annotate_thread([[maybe_unused]] execution& e) noexcept {
#if WEFT_TSAN
  e.tsan_fiber = __tsan_get_current_fiber();
#endif
#if WEFT_ASAN
  pthread_attr_t attributes;
  void* low = nullptr;
  std::size_t size = 0;
  if (::pthread_getattr_np(::pthread_self(), &attributes) == 0) {
    ::pthread_attr_getstack(&attributes, &low, &size);
    ::pthread_attr_destroy(&attributes);
  }
  e.asan_bottom = low;
  e.asan_size = size;
#endif
}

void annotate_destroy([[maybe_unused]] execution& e) noexcept {
#if WEFT_TSAN
  if (e.tsan_fiber != nullptr) __tsan_destroy_fiber(e.tsan_fiber);
  e.tsan_fiber = nullptr;
#endif
#if WEFT_VALGRIND
  VALGRIND_STACK_DEREGISTER(e.valgrind_stack);
#endif
}

void annotate_adopt([[maybe_unused]] execution& to, [[maybe_unused]] execution& from) noexcept {
#if WEFT_TSAN
  to.tsan_fiber = from.tsan_fiber;
  from.tsan_fiber = nullptr;
#endif
#if WEFT_ASAN
  to.asan_fake_stack = from.asan_fake_stack;
  to.asan_bottom = from.asan_bottom;
  to.asan_size = from.asan_size;
#endif
#if WEFT_VALGRIND
  to.valgrind_stack = from.valgrind_stack;
#endif
}

}  // namespace weft::runtime
