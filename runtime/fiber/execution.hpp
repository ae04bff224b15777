// What can be switched away from and back to: a fiber, or a worker thread's own stack.
//
// A switch saves, besides the registers: the two words of __cxa_get_globals() (exceptions being handled and in flight
// belong to the fiber, not to the thread), and what the sanitizers need (valgrind knows a stack by its addresses). Not
// saved: errno, thread-locals, the signal mask, the locale. Rejected: Boost's `fiber` class, which saves exception
// state only from 1.88 on.
#pragma once
#include <boost/context/detail/fcontext.hpp>

#include "arch/fiber_entry.hpp"
#include "runtime/base/thread_locals.hpp"
#include "weft/detail/config.hpp"

namespace weft::runtime {

struct execution {
  boost::context::detail::fcontext_t registers = nullptr;  // valid while it is switched out
  __cxa_eh_globals_view exceptions{nullptr, 0};
#if WEFT_TSAN
  void* tsan_fiber = nullptr;
#endif
#if WEFT_ASAN
  void* asan_fake_stack = nullptr;
  const void* asan_bottom = nullptr;
  unsigned long asan_size = 0;
#endif
#if WEFT_VALGRIND
  unsigned valgrind_stack = 0;
#endif
};

// Switches from `from`, which runs on worker m, to `to`. Returns when something switches back to `from`: then on the
// worker that is returned, which may be another thread. The caller there finishes what its predecessor left to do
// (worker::leaving).
worker* switch_execution(worker* m, execution& from, execution& to) noexcept;

// The same for a fiber that never runs again: what its entry jumps to. Its stack may be reused once the successor has
// taken over.
weft_departure leave_execution(worker* m, execution& from, const execution& to) noexcept;

// First thing on the new side of a switch that started a fresh fiber.
worker* arrive(boost::context::detail::transfer_t, execution& self) noexcept;

// Sanitizers' and valgrind's views of an execution.
void annotate_create(execution&, const void* bottom, unsigned long size) noexcept;
void annotate_thread(execution&) noexcept;  // this execution is the current thread's own stack
void annotate_destroy(execution&) noexcept;
void annotate_adopt(execution& to, execution& from) noexcept;  // `to` goes on on the stack of `from`

}  // namespace weft::runtime
