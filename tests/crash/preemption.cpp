// Where a preempting handler that knows nothing of locks, masks and other people's signals would hang or kill the
// program.
//
// Each case is a child process, as it changes what belongs to a whole process: handlers, timers, the loader's list.
// Each ends when its work has been counted; a hang is ended by in_child's patience and seen as that. ThreadSanitizer:
// weft sends no signals there, so all of this is skipped.
#include <dlfcn.h>
#include <link.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "survives.hpp"

using namespace weft;
using test::count_slowly;
using test::every_millisecond;
using test::handle;
using test::heard;
using test::in_child;
using test::outcome;
using test::sleepers;
using test::survives;
using test::verdict;

namespace {

using test::k_no_signals;

}  // namespace

TEST_CASE("preemption: a user's SIGALRM handler that interrupts malloc" * doctest::skip(k_no_signals)) {
  // SA_NODEFER: no mask tells that a handler is below. SA_ONSTACK: it runs on weft's alternate stack.
  for (const int flags : {0, SA_NODEFER, SA_ONSTACK, SA_ONSTACK | SA_NODEFER}) {
    CAPTURE(flags);
    const long wanted = test::scale(400);
    survives([&](verdict& v, unsigned processors) {
      handle(SIGALRM, count_slowly, flags | SA_RESTART);
      every_millisecond(ITIMER_REAL);
      const sleepers due(processors);
      wait_group all;
      for (unsigned fiber = 0; fiber < 8; ++fiber)
        all.go([&, fiber] {
          test::random pattern(fiber + 1);
          std::array<std::unique_ptr<char[]>, 32> blocks;
          while (heard[SIGALRM] < wanted)
            blocks[pattern.below(32)] = std::make_unique<char[]>(1 + pattern.below(1 << (pattern.below(21))));
        });
      all.wait();
      const itimerval off{};
      setitimer(ITIMER_REAL, &off, nullptr);
      v(heard[SIGALRM] >= wanted);
      due.await_turn();
    });
  }
}

TEST_CASE("preemption: inside a library's constructor and destructor, under the loader's lock" *
          doctest::skip(k_no_signals)) {
  const long rounds = test::scale(20);
  survives([&](verdict& v, unsigned processors) {
    std::atomic<long> loaded{0}, caught{0};
    std::atomic<bool> stop{false};
    wait_group openers, others;
    const sleepers due(processors);
    for (int i = 0; i < 4; ++i) {
      openers.go([&] {
        for (long n = 0; n < rounds; ++n) {
          void* library = ::dlopen(WEFT_TEST_PLUGIN, RTLD_NOW | RTLD_LOCAL);
          if (library == nullptr) return v(false);
          const auto value = reinterpret_cast<long (*)()>(::dlsym(library, "weft_test_plugin_value"));
          v(value != nullptr && value() == 42);
          ::dlclose(library);
          ++loaded;
        }
      });
      others.go([&] {
        while (!stop) {
          try {
            throw 1;
          } catch (int) {
            ++caught;
          }
          ::dlclose(::dlopen("libm.so.6", RTLD_NOW));
          test::spin(10'000);
        }
      });
    }
    openers.wait();
    stop = true;
    others.wait();
    v(loaded == 4 * rounds);
    v(caught > 0);
    due.await_turn();
  });
}

namespace {

std::atomic<long> initialised{0};

template <int N>
struct slow_static {
  static long value() {
    static const long v = [] {
      test::spin(5'000'000);
      ++initialised;
      return N;
    }();
    return v;
  }
};

template <int... N>
long sum_of_slow_statics(std::integer_sequence<int, N...>) {
  return (slow_static<N>::value() + ...);
}

}  // namespace

TEST_CASE("preemption: inside the initialiser of a function's static, which others wait for" *
          doctest::skip(k_no_signals)) {
  survives([](verdict& v, unsigned processors) {
    const sleepers due(processors);
    wait_group all;
    for (int i = 0; i < 16; ++i) all.go([&] { v(sum_of_slow_statics(std::make_integer_sequence<int, 20>()) == 190); });
    all.wait();
    v(initialised == 20);
    due.await_turn();
  });
}

namespace {

std::atomic<long> bytes_written{0};

ssize_t write_slowly(void*, const char*, std::size_t size) {
  test::spin(1'000'000);
  bytes_written += static_cast<long>(size);
  return static_cast<ssize_t>(size);
}

}  // namespace

TEST_CASE("preemption: inside a stream's own write function, under stdio's locks" * doctest::skip(k_no_signals)) {
  const long rounds = test::scale(40);
  survives([&](verdict& v, unsigned processors) {
    std::FILE* slow = ::fopencookie(nullptr, "w", {nullptr, write_slowly, nullptr, nullptr});
    if (slow == nullptr) return v(false);
    const sleepers due(processors);
    wait_group all;
    for (int fiber = 0; fiber < 4; ++fiber) {
      all.go([&, rounds] {
        for (long i = 0; i < rounds; ++i) {
          std::fprintf(slow, "%08ld", i);
          std::fflush(slow);
        }
      });
      all.go([&, rounds] {
        for (long i = 0; i < rounds; ++i) {
          if (i % 8 == 0) std::fflush(nullptr);  // all streams, under the lock of their list
          std::FILE* other = std::fopen("/dev/null", "w");
          v(other != nullptr);
          std::fprintf(other, "%ld", i);
          std::fclose(other);
        }
      });
    }
    all.wait();
    std::fclose(slow);
    v(bytes_written == 4 * 8 * rounds);
    due.await_turn();
  });
}

TEST_CASE("preemption: inside dl_iterate_phdr's callback, under the loader's other lock" *
          doctest::skip(k_no_signals)) {
  const long rounds = test::scale(40);
  survives([&](verdict& v, unsigned processors) {
    const sleepers due(processors);
    std::atomic<long> walks{0}, caught{0};
    wait_group all;
    for (int fiber = 0; fiber < 4; ++fiber) {
      all.go([&, rounds] {
        for (long i = 0; i < rounds; ++i) {
          const auto callback = [](dl_phdr_info*, std::size_t, void* objects) {
            test::spin(100'000);
            ++*static_cast<int*>(objects);
            return 0;
          };
          int objects = 0;
          ::dl_iterate_phdr(callback, &objects);
          v(objects > 1);
          ++walks;
        }
      });
      all.go([&, rounds] {
        for (long i = 0; i < rounds; ++i) {
          try {
            throw i;
          } catch (long) {
            ++caught;
          }
          ::dlclose(::dlopen(WEFT_TEST_PLUGIN, RTLD_NOW | RTLD_LOCAL));
        }
      });
    }
    all.wait();
    v(walks == 4 * rounds);
    v(caught == 4 * rounds);
    due.await_turn();
  });
}

TEST_CASE("preemption: exit from a fiber, with others parked in the handler" * doctest::skip(k_no_signals)) {
  test::for_processors({1, 2}, [](unsigned processors) {
    const outcome seen = in_child([processors] {
      std::atexit([] { test::tell("at exit\n"); });
      run(test::on(processors), [&] {
        auto* hogs = new test::hogs(10);  // never stopped
        hogs->await_turns();
        std::exit(3);
      });
      return 0;
    });
    CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
    CHECK_MESSAGE(seen.status == 3, "signal ", seen.signal, "; ", seen.errors);
    CHECK(seen.says("at exit"));
  });
}

TEST_CASE("preemption: what a preempted fiber throws in vain is still reported" * doctest::skip(k_no_signals)) {
  const outcome seen = in_child([] {
    run(test::on(1), [] {
      const sleepers due(1);
      go({.name = "thrower"}, [] {
        test::spin(20'000'000);
        throw std::runtime_error("out of a hog");
      });
      this_fiber::sleep_for(1h);
    });
    return 0;
  });
  CHECK(seen.died());
  CHECK_MESSAGE(seen.says("out of a hog"), seen.errors);
  CHECK_MESSAGE(seen.says("thrower"), seen.errors);
}
