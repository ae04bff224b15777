// Misuse and bad input: a clear error that names the culprit, and the report when nobody catches it.
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "child.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::in_child;
using test::outcome;

// Runs `f` as a runtime's main in a child, which tells the logic_error's text. 0: there was one.
template <class F>
static outcome caught_from(F f) {
  return in_child([f] {
    return run([f] {
      try {
        f();
      } catch (const std::logic_error& error) {
        test::tell(error.what());
        return 0;
      }
      return 1;
    });
  });
}

// Runs `f` in a go fiber, where nobody catches anything.
template <class F>
static outcome uncaught_from(F f) {
  return in_child([f] {
    run([f] {
      go(f);
      this_fiber::sleep_for(10s);
    });
    return 0;
  });
}

TEST_CASE("misuse: send on a closed channel names it") {
  const auto misuse = [] {
    const chan<int> c{1};
    c.close();
    c.send(1);
  };
  const outcome caught = caught_from(misuse);
  CHECK_MESSAGE(caught.status == 0, caught.errors);
  CHECK_MESSAGE(caught.says("send"), caught.errors);
  CHECK_MESSAGE(caught.says("closed"), caught.errors);
  const outcome uncaught = uncaught_from(misuse);
  CHECK_MESSAGE(uncaught.died(), uncaught.errors);
  CHECK_MESSAGE(uncaught.says("send"), uncaught.errors);
  CHECK_MESSAGE(uncaught.says("misuse.cpp:"), uncaught.errors);
}

TEST_CASE("misuse: close of a closed or a nil channel names it") {
  const auto twice = [] {
    const chan<int> c;
    c.close();
    c.close();
  };
  const auto nil = [] { chan<int>(nullptr).close(); };
  const outcome one = caught_from(twice), two = caught_from(nil);
  CHECK_MESSAGE(one.status == 0, one.errors);
  CHECK_MESSAGE((one.says("close") && one.says("closed")), one.errors);
  CHECK_MESSAGE(two.status == 0, two.errors);
  CHECK_MESSAGE((two.says("close") && two.says("nil")), two.errors);
  const outcome three = uncaught_from(twice), four = uncaught_from(nil);
  CHECK_MESSAGE((three.died() && three.says("close")), three.errors);
  CHECK_MESSAGE((four.died() && four.says("nil")), four.errors);
}

TEST_CASE("misuse: a negative wait_group, a negative capacity and unlock of an unlocked mutex name it") {
  const outcome group = caught_from([] {
    wait_group g;
    g.add(-1);
  });
  CHECK_MESSAGE((group.status == 0 && group.says("negative") && group.says("wait_group")), group.errors);
  const outcome capacity = caught_from([] { const chan<int> c{-3}; });
  CHECK_MESSAGE((capacity.status == 0 && capacity.says("negative") && capacity.says("-3")), capacity.errors);
  const outcome unlock = caught_from([] {
    mutex m;
    m.unlock();
  });
  CHECK_MESSAGE((unlock.status == 0 && unlock.says("unlock")), unlock.errors);
}

TEST_CASE("misuse: a wait_group destroyed while it counts ends the process") {
  const outcome seen = in_child([] {
    run([] {
      wait_group g;
      g.add(1);
    });
    return 0;
  });
  CHECK_MESSAGE((seen.died() && seen.says("wait_group")), seen.errors);
}

TEST_CASE("misuse: run inside run, and go without a runtime") {
  const outcome nested = caught_from([] { run([] {}); });
  CHECK_MESSAGE((nested.status == 0 && nested.says("run")), nested.errors);
  const outcome alone = in_child([] {
    try {
      go([] {});
    } catch (const std::logic_error& error) {
      test::tell(error.what());
      return 0;
    }
    return 1;
  });
  CHECK_MESSAGE(alone.status == 0, alone.errors);
  CHECK_MESSAGE(alone.says("run"), alone.errors);
}

// The text of the invalid_argument that comes out of run.
static outcome refused(const char* variable, const char* value, runtime_options options = {}) {
  return in_child([=] {
    if (variable) setenv(variable, value, 1);
    try {
      run(options, [] { test::tell("main ran\n"); });
    } catch (const std::invalid_argument& error) {
      test::tell(error.what());
      return 0;
    }
    return 1;
  });
}

TEST_CASE("bad input: WEFT_PROCESSORS is named with its value") {
  for (const char* value : {"banana", "0", "-1", "2x", "99999999999999999999"}) {
    CAPTURE(value);
    const outcome seen = refused("WEFT_PROCESSORS", value);
    CHECK_MESSAGE(seen.status == 0, seen.errors);
    CHECK_MESSAGE(seen.says("WEFT_PROCESSORS"), seen.errors);
    CHECK_MESSAGE(seen.says(value), seen.errors);
    CHECK_FALSE(seen.says("main ran"));
  }
}

TEST_CASE("bad input: WEFT_STACK_SIZE is named with its value, a stack of no size is refused") {
  for (const char* value : {"0", "huge", "-4096"}) {
    CAPTURE(value);
    const outcome seen = refused("WEFT_STACK_SIZE", value);
    CHECK_MESSAGE(seen.status == 0, seen.errors);
    CHECK_MESSAGE((seen.says("WEFT_STACK_SIZE") && seen.says(value)), seen.errors);
  }
  runtime_options none;
  none.stack_size = 0;
  const outcome seen = refused(nullptr, nullptr, none);
  CHECK_MESSAGE((seen.status == 0 && seen.says("stack_size")), seen.errors);
}

TEST_CASE("good input: WEFT_PROCESSORS and WEFT_STACK_SIZE are taken") {
  const outcome seen = in_child([] {
    setenv("WEFT_PROCESSORS", "3", 1);
    setenv("WEFT_STACK_SIZE", "1048576", 1);
    return run([] {
      volatile char room[512 << 10];  // more than the default stack
      room[0] = 7;
      room[sizeof room - 1] = 1;
      return static_cast<int>(room[0]);
    });
  });
  CHECK_MESSAGE(seen.status == 7, seen.errors);
}
