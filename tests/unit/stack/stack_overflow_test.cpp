// Guards below stacks, and the report of an overflow. Each crash happens in a child.
#include <doctest/doctest.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "runtime/stack/guard.hpp"
#include "runtime/stack/overflow.hpp"
#include "runtime/stack/stack_pool.hpp"
#include "tests/unit/stack/child.hpp"

using namespace weft::runtime;
using test::child_end;
using test::in_child;

namespace {

// Touches the byte `below` the lowest of a new stack.
child_end overflow(guard_kind kind, std::size_t below) {
  return in_child([=] {
    constexpr std::size_t k_size = 4u << 20;  // no other test's: carved here, with the guard asked for
    set_guards(kind);
    remove_overflow_handler();
    install_overflow_handler(nullptr);
    install_overflow_handler(
        [](const stack&, char* out, std::size_t size) { std::snprintf(out, size, "fiber 7 \"deep\""); });
    const signal_stack memory;
    const alternate_stack signals(memory);
    stack_cache cache;
    const stack* s = cache.take(k_size);
    s->low[0] = std::byte{1};
    volatile std::byte* guard = s->low - below;
    *guard = std::byte{1};
    return 0;
  });
}

const char* const k_words =
    "weft: stack overflow in fiber 7 \"deep\", stack size 4194304 bytes; raise spawn_options::stack_size or "
    "WEFT_STACK_SIZE\n";

constexpr int k_no_limits = 77;
volatile int g_sink;

}  // namespace

TEST_CASE("stack overflow: the guard faults over all its length, and the report names fiber and size") {
  for (const guard_kind kind : {guard_kind::undecided, guard_kind::mprotect})
    for (const std::size_t below : {std::size_t{1}, k_guard_size / 2, k_guard_size}) {
      INFO("kind ", static_cast<int>(kind), ", ", below, " below");
      const child_end end = overflow(kind, below);
      CHECK(end.killed_by(SIGSEGV));
      CHECK(end.errors.starts_with(k_words));
    }
}

TEST_CASE("stack overflow: a guard still faults after its stack was trimmed") {
  const child_end end = in_child([] {
    remove_overflow_handler();
    stack_cache cache(4u << 20);
    stack* s = cache.take(4u << 20);
    s->top[-1] = std::byte{1};
    cache.give(s);
    cache.flush();
    if (trim_stacks(true) == 0) return 1;
    volatile std::byte* guard = s->low - 1;
    *guard = std::byte{1};
    return 0;
  });
  CHECK(end.killed_by(SIGSEGV));
}

TEST_CASE("stack overflow: a fault elsewhere goes to the handler that was there before") {
  const child_end end = in_child([] {
    remove_overflow_handler();
    std::signal(SIGSEGV, [](int) { ::_exit(42); });
    install_overflow_handler(nullptr);
    void* page = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_sink = *static_cast<volatile int*>(page);
    return 0;
  });
  CHECK(end.exited(42));
  CHECK(end.errors.empty());
}

TEST_CASE("stack overflow: without an earlier handler a fault elsewhere, or a sent SIGSEGV, kills as ever") {
  CHECK(in_child([] {
          remove_overflow_handler();
          install_overflow_handler(nullptr);
          void* page = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          g_sink = *static_cast<volatile int*>(page);
          return 0;
        }).killed_by(SIGSEGV));
  CHECK(in_child([] {
          remove_overflow_handler();
          install_overflow_handler(nullptr);
          std::raise(SIGSEGV);
          return 0;
        }).killed_by(SIGSEGV));
}

TEST_CASE("stack overflow: a thread's alternate stack ends with its scope") {
  stack_t before{}, within{}, after{};
  ::sigaltstack(nullptr, &before);
  {
    const signal_stack memory;
    const alternate_stack signals(memory);
    ::sigaltstack(nullptr, &within);
  }
  ::sigaltstack(nullptr, &after);
  CHECK(within.ss_size == signal_stack::k_size);
  CHECK(within.ss_sp != before.ss_sp);
  CHECK(after.ss_sp == before.ss_sp);
  CHECK(after.ss_flags == before.ss_flags);
}

TEST_CASE("stack overflow: beyond the mappings for guards stacks are open, and an overflow is found at the end") {
  long limit = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> limit;
  REQUIRE(limit > 0);
  const auto with_an_open_stack = [limit](bool overflow) {
    return in_child([=] {
      set_guards(guard_kind::mprotect);
      install_overflow_handler([](const stack&, char* out, std::size_t size) { std::snprintf(out, size, "fiber 7"); });
      stack_cache cache(k_min_stack_size);
      stack* s = cache.take(k_min_stack_size);
      for (long i = 0; i <= limit / 2 && !s->open; ++i) s = cache.take(k_min_stack_size);
      if (!s->open) return 1;
      for (int i = 0; i < 1000; ++i)  // mappings are left for others
        if (::mmap(nullptr, 1, i % 2 == 0 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
          return 2;
      s->low[0] = std::byte{1};
      if (overflow) *(s->low - 1) = std::byte{1};
      cache.give(s);
      return 0;
    });
  };
  const child_end well = with_an_open_stack(false);
  CHECK(well.exited(0));
  CHECK(well.said("as many as vm.max_map_count (" + std::to_string(limit) + ") allows"));
  const child_end overflowed = with_an_open_stack(true);
  CHECK(overflowed.killed_by(SIGABRT));
  CHECK(overflowed.said("weft: stack overflow in fiber 7, stack size 16384 bytes"));
}

TEST_CASE("stack: no address space is an exception that says what to look at, and the pool still works after") {
  const child_end end = in_child([] {
    stack_cache cache;
    stack* kept = cache.take(k_min_stack_size);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t little = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + k_max_stack_size / 2;
    const rlimit limit{little, little};
    ::setrlimit(RLIMIT_AS, &limit);
    if (::mmap(nullptr, k_max_stack_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
      return k_no_limits;
    try {
      for (;;) cache.take(k_max_stack_size);
    } catch (const std::system_error& e) {
      std::fputs(e.what(), stderr);
      if (e.code() != std::errc::not_enough_memory) return 1;
    }
    cache.give(kept);
    return cache.take(k_min_stack_size) == kept ? 0 : 2;
  });
  if (end.exited(k_no_limits)) {
    MESSAGE("not checked: this system, an emulator, does not limit the address space");
    return;
  }
  CHECK(end.exited(0));
  CHECK(end.said("ulimit -v"));
}
