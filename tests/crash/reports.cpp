// What the process says when it has to end: overflow, escaped exceptions, deadlock, leftovers, SIGQUIT.
#include <dlfcn.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

#include <csignal>
#include <sstream>
#include <stdexcept>
#include <string>
#include <weft/io.hpp>
#include <weft/net.hpp>

#include "child.hpp"
#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::in_child;
using test::outcome;

static spawn_options named(std::string name) {
  spawn_options options;
  options.name = std::move(name);
  return options;
}

// Endless, and no compiler may know it.
static int descend(volatile char* above) {
  volatile char frame[512];
  frame[0] = above ? above[0] : char{1};
  if (frame[0] == 0) return 0;
  return descend(frame) + frame[0];
}

TEST_CASE("stack overflow: ends the process with the fiber's name and stack size") {
  const outcome seen = in_child([] {
    run(test::on(1), [] {
      spawn_options options = named("deep diver");
      options.stack_size = 128 << 10;
      go(options, [] { test::tell(std::to_string(descend(nullptr))); });
      this_fiber::sleep_for(10s);
    });
    return 0;
  });
  CHECK_MESSAGE(seen.died(), seen.errors);
  CHECK_MESSAGE(seen.says("overflow"), seen.errors);
  CHECK_MESSAGE(seen.says("deep diver"), seen.errors);
  CHECK_MESSAGE(seen.says("131072"), seen.errors);
}

TEST_CASE("escaped exception: name, spawn site and what()") {
  const outcome seen = in_child([] {
    run([] {
      go(named("careless"), [] { throw std::runtime_error("the milk is spilt"); });
      this_fiber::sleep_for(10s);
    });
    return 0;
  });
  CHECK_MESSAGE(seen.died(), seen.errors);
  CHECK_MESSAGE(seen.says("careless"), seen.errors);
  CHECK_MESSAGE(seen.says("the milk is spilt"), seen.errors);
  CHECK_MESSAGE(seen.says("reports.cpp:"), seen.errors);
}

TEST_CASE("escaped exception: also one that is no std::exception, and from an unnamed fiber") {
  const outcome seen = in_child([] {
    run([] {
      go([] { throw 5; });
      this_fiber::sleep_for(10s);
    });
    return 0;
  });
  CHECK_MESSAGE(seen.died(), seen.errors);
  CHECK_MESSAGE(seen.says("reports.cpp:"), seen.errors);
}

TEST_CASE("escaped exception: canceled is none") {
  const outcome seen = in_child([] {
    return run([] {
      auto scope = with_cancel(background());
      go(scope, [] { this_fiber::sleep_for(1h); });
      test::settle();
      scope.cancel();
      test::settle();
      return 0;
    });
  });
  CHECK_MESSAGE(seen.status == 0, seen.errors);
  CHECK_MESSAGE(seen.errors.empty(), seen.errors);
}

// An emulator or a sanitizer may have a thread of its own in the process. weft cannot tell it from one that would wake
// somebody, and reports nothing.
TEST_CASE("deadlock: all fibers asleep is reported with the dump, status 2" *
          doctest::skip(WEFT_TSAN != 0 || test::count_threads() > 1)) {
  for (const unsigned processors : {1u, 4u}) {
    const outcome seen = in_child([processors] {
      run(test::on(processors), [] {
        const chan<int> c;
        mutex m;
        m.lock();
        go(named("one who receives"), [c] { c.recv(); });
        go(named("one who locks"), [&m] { m.lock(); });
        c.recv();
      });
      return 0;
    });
    CHECK_MESSAGE(seen.status == 2, seen.errors);
    CHECK_MESSAGE(seen.says("all fibers are asleep - deadlock!"), seen.errors);
    CHECK_MESSAGE(seen.says("one who receives"), seen.errors);
    CHECK_MESSAGE(seen.says("one who locks"), seen.errors);
    CHECK_MESSAGE(seen.says("reports.cpp:"), seen.errors);
  }
}

TEST_CASE("deadlock: not reported while a timer or a foreign thread can still wake somebody") {
  const outcome seen = in_child([] {
    const int got = run(test::on(2), [] {
      const chan<int> c;
      test::foreign thread([c] {
        std::this_thread::sleep_for(300ms);
        c.send(3);
      });
      const int sum = *c.recv();
      thread.join();
      auto sleeper = spawn([] { this_fiber::sleep_for(300ms); });
      sleeper.join();
      return sum;
    });
    return got == 3 ? 0 : 1;
  });
  CHECK_MESSAGE(seen.status == 0, seen.errors);
  CHECK_FALSE(seen.says("deadlock"));
}

TEST_CASE("deadlock: sockets that nobody waits for do not hide it" *
          doctest::skip(WEFT_TSAN != 0 || test::count_threads() > 1)) {
  const outcome seen = in_child([] {
    run(test::on(2), [] {
      const auto l = net::listen("tcp", "127.0.0.1:0");
      chan<int>().recv();
    });
    return 0;
  });
  CHECK_MESSAGE(seen.status == 2, seen.errors);
  CHECK_MESSAGE(seen.says("all fibers are asleep - deadlock!"), seen.errors);
}

TEST_CASE("deadlock: not reported while somebody waits for a descriptor") {
  const outcome seen = in_child([] {
    // A timer of the kernel's, of which the runtime knows nothing: longer than it takes to report a deadlock.
    const int timer = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    itimerspec at{};
    at.it_value.tv_nsec = 300'000'000;
    ::timerfd_settime(timer, 0, &at, nullptr);
    return run(test::on(2), [timer] { return wait_readable(timer).has_value(); }) ? 0 : 1;
  });
  CHECK_MESSAGE(seen.status == 0, seen.errors);
  CHECK_FALSE(seen.says("deadlock"));
}

TEST_CASE("leftovers: each is reported with name, spawn site, state and wait reason, and the process goes on") {
  const outcome seen = in_child([] {
    runtime_options options = test::on(2);
    options.drain = 300ms;
    run(options, [] {
      const chan<int> never;
      go(named("forgotten"), [never] { never.recv(); });
      test::settle();
    });
    return 0;
  });
  CHECK_MESSAGE(seen.status == 0, seen.errors);
  CHECK_MESSAGE(seen.says("forgotten"), seen.errors);
  CHECK_MESSAGE(seen.says("reports.cpp:"), seen.errors);
  CHECK_MESSAGE(seen.says("receive"), seen.errors);
}

// Waits, and tells which line of a report is its caller's.
[[gnu::noinline]] static void wait_here(const chan<int>& never) {
  const char* place = static_cast<const char*>(__builtin_return_address(0)) - 1;
  Dl_info object{};
  ::dladdr(place, &object);
  std::ostringstream line;
  line << "(+0x" << std::hex << place - static_cast<const char*>(object.dli_fbase) << ")";
  test::tell(line.str());
  never.recv();
  asm volatile("");  // no tail call
}

TEST_CASE("leftovers, deadlock: with the stack of each that waits" * doctest::skip(WEFT_TSAN != 0)) {
  for (const bool deadlock : {false, true}) {
    if (deadlock && test::count_threads() > 1) continue;  // an emulator's: nothing is reported then
    const outcome seen = in_child([&] {
      runtime_options options = test::on(2);
      options.drain = 50ms;
      run(options, [&] {
        const chan<int> never;
        go([never] {
          wait_here(never);
          asm volatile("");
        });
        test::settle();
        if (deadlock) never.recv();
      });
      return 0;
    });
    const std::size_t told = seen.errors.find("(+0x");
    REQUIRE_MESSAGE(told != std::string::npos, seen.errors);
    const std::string frame = seen.errors.substr(told, seen.errors.find(')', told) + 1 - told);
    CHECK_MESSAGE(seen.errors.find(frame, told + 1) != std::string::npos, seen.errors);
  }
}

TEST_CASE("leftovers: one that never ends is named, and the process leaves with status 2") {
  const outcome seen = in_child([] {
    runtime_options options = test::on(2);
    options.drain = 50ms;
    run(options, [] {
      go(named("immortal"), [] {
        for (;;) {
          try {
            this_fiber::sleep_for(1ms);
          } catch (const canceled&) {
          }
        }
      });
      test::settle();
    });
    return 0;
  });
  CHECK_MESSAGE(seen.status == 2, seen.errors);
  CHECK_MESSAGE(seen.says("immortal"), seen.errors);
  CHECK_MESSAGE(seen.says("reports.cpp:"), seen.errors);
}

// ThreadSanitizer holds a signal back while the thread it came to sleeps in a system call of ours.
TEST_CASE("SIGQUIT: dumps every fiber with name, state, wait reason and spawn site, status 2" *
          doctest::skip(WEFT_TSAN != 0)) {
  const outcome seen = in_child(
      [] {
        run(test::on(1), [] {
          const chan<int> c;
          go(named("alpha"), [c] { c.recv(); });
          go(named("beta"), [] { this_fiber::sleep_for(1h); });
          go(named("gamma"), [c] { select(recv(c), after(1h)); });
          test::await_waiting("select", 1);
          test::settle();
          test::tell("now\n");
          this_fiber::sleep_for(50s);
        });
        return 0;
      },
      "now\n", SIGQUIT);
  CHECK_MESSAGE(seen.status == 2, seen.errors);
  for (const char* name : {"alpha", "beta", "gamma"}) CHECK_MESSAGE(seen.says(name), seen.errors);
  for (const char* reason : {"receive", "sleep", "select"}) CHECK_MESSAGE(seen.says(reason), seen.errors);
  CHECK_MESSAGE(seen.says("reports.cpp:"), seen.errors);
}

TEST_CASE("idle: a runtime whose main sleeps uses next to no CPU") {
  const outcome seen = in_child([] {
    const auto used = [] {
      rusage r{};
      getrusage(RUSAGE_SELF, &r);
      return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1'000'000 + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
    };
    long us = 0;
    run([&] {
      const long before = used();
      this_fiber::sleep_for(2s);
      us = used() - before;
    });
    test::tell(std::to_string(us) + " us of CPU\n");
    return us < 5'000 || test::scale_factor() < 1 ? 0 : 1;  // emulated and instrumented builds take longer
  });
  CHECK_MESSAGE(seen.status == 0, seen.errors);
}
