// Unwinding ends cleanly at a fiber's first frame. unwind_entry.S gives the entry to this file.
#include <doctest/doctest.h>
#include <execinfo.h>
#include <unwind.h>

#include <boost/context/detail/fcontext.hpp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <vector>

#include "arch/fiber_entry.hpp"
#include "runtime/stack/stack_pool.hpp"
#include "tests/unit/stack/child.hpp"

using boost::context::detail::transfer_t;
using namespace weft::runtime;

extern "C" {
[[noreturn]] void test_fiber_entry(transfer_t from);
[[gnu::noinline]] weft_departure test_fiber_main(transfer_t from);
}

namespace {

struct frames {
  std::uintptr_t starts[64];  // of the functions, innermost first
  int count = 0;
  bool aligned = false;
};

std::uintptr_t function_at(std::uintptr_t return_address) {
  return reinterpret_cast<std::uintptr_t>(_Unwind_FindEnclosingFunction(reinterpret_cast<void*>(return_address - 1)));
}

template <class F>
std::uintptr_t address_of(F* function) {
  return reinterpret_cast<std::uintptr_t>(function);
}

using body = void (*)(frames&);

struct start {
  body run;
  frames seen;
};

// Runs `run` on a stack of the pool, entered as a fiber is.
frames on_a_stack(body run) {
  stack_cache cache;
  stack* s = cache.take(k_default_stack_size);
  std::memset(s->top - 4096, 0x5a, 4096);  // what lies above and below the first frame leads nowhere
  start begin{run, {}};
  const auto first = boost::context::detail::make_fcontext(s->top - 1024, s->size - 1024, test_fiber_entry);
  boost::context::detail::jump_fcontext(first, &begin);
  cache.give(s);
  return begin.seen;
}

[[gnu::noinline]] void walk(frames& seen) {
  auto note = [](_Unwind_Context* context, void* into) {
    auto& found = *static_cast<frames*>(into);
    const bool past_the_end = _Unwind_GetIP(context) == 0;
    if (!past_the_end && found.count < 64) found.starts[found.count++] = _Unwind_GetRegionStart(context);
    return _URC_NO_REASON;
  };
  if (_Unwind_Backtrace(note, &seen) != _URC_END_OF_STACK) seen.count = -1;
}

[[gnu::noinline]] void glibc_walk(frames& seen) {
  void* addresses[64];
  seen.count = ::backtrace(addresses, 64);
  for (int i = 0; i < seen.count; ++i) seen.starts[i] = function_at(reinterpret_cast<std::uintptr_t>(addresses[i]));
}

[[gnu::noinline, maybe_unused]] void raise_unhandled(frames& seen) {
  _Unwind_Exception unhandled{};
  const _Unwind_Reason_Code end = _Unwind_RaiseException(&unhandled);
  seen.count = static_cast<int>(end);
}

[[gnu::noinline]] void throw_unhandled(frames&) { throw 1; }

}  // namespace

extern "C" weft_departure test_fiber_main(transfer_t from) {
  auto* const begin = static_cast<start*>(from.data);
  begin->seen.aligned = reinterpret_cast<std::uintptr_t>(__builtin_dwarf_cfa()) % 16 == 0;
  begin->run(begin->seen);
  return {from.fctx, nullptr};
}

TEST_CASE("fiber entry: a walk over the frames passes the fiber's main and ends at the entry") {
  for (const body run : {&walk, &glibc_walk}) {
    const frames seen = on_a_stack(run);
    REQUIRE(seen.count >= 3);
    CHECK(seen.starts[seen.count - 1] == address_of(&test_fiber_entry));
    CHECK(seen.starts[seen.count - 2] == address_of(&test_fiber_main));
    CHECK(seen.starts[seen.count - 3] == address_of(run));
    CHECK(seen.aligned);
  }
}

#if !defined(__aarch64__)  // gcc before 14 loses what _Unwind_RaiseException returns there (PR 114843)
TEST_CASE("fiber entry: a raise without a handler reports the end of the stack and unwinds nothing") {
  CHECK(test::in_child([] { return on_a_stack(raise_unhandled).count; }).exited(_URC_END_OF_STACK));
}
#endif

TEST_CASE("fiber entry: an exception without a handler ends in terminate with the thrower's frame in place") {
  const test::child_end end = test::in_child([] {
    std::set_terminate([] {
      frames seen;
      glibc_walk(seen);
      for (int i = 0; i < seen.count; ++i)
        if (seen.starts[i] == address_of(&throw_unhandled)) std::fputs("thrower ", stderr);
      if (seen.starts[seen.count - 1] == address_of(&test_fiber_entry)) std::fputs("entry", stderr);
      ::_exit(7);
    });
    on_a_stack(throw_unhandled);
    return 0;
  });
  CHECK(end.exited(7));
  CHECK(end.said("thrower entry"));
}
