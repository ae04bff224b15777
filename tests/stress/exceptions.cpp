// Exceptions belong to the fiber: what it has caught, and how many it is throwing, whatever others do meanwhile.
#include <exception>
#include <vector>

#include "tests/storms/storms.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

namespace {

struct mine {
  long fiber;
  int level;
};

// Yields while it is destroyed, and counts the exceptions in flight before and after.
struct yields_in_destructor {
  expect& e;
  int in_flight;
  ~yields_in_destructor() {
    if (std::uncaught_exceptions() != in_flight) e(false);
    this_fiber::yield();
    if (std::uncaught_exceptions() != in_flight) e(false);
    if (in_flight < 3) try {
        const yields_in_destructor inner{e, in_flight + 1};
        throw mine{0, in_flight};
      } catch (const mine& m) {
        this_fiber::yield();
        if (m.level != in_flight) e(false);
      }
    if (std::uncaught_exceptions() != in_flight) e(false);
  }
};

}  // namespace

TEST_CASE("exceptions: nested and interleaved over yields, each fiber still sees its own") {
  test::in_fiber({1, 2, 4, 8}, [](expect& e) { test::storm::nested_exceptions(e, 32, test::scale(200)); });
}

TEST_CASE("exceptions: uncaught_exceptions is right for each fiber, while it unwinds and yields") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long rounds = test::scale(200);
    expect e;
    run(test::on(processors), [&] {
      wait_group all;
      std::atomic<long> caught{0};
      for (long fiber = 0; fiber < 32; ++fiber)
        all.go([&, fiber] {
          for (long i = 0; i < rounds; ++i) {
            if (std::uncaught_exceptions() != 0) e(false);
            try {
              const yields_in_destructor outer{e, 1};
              this_fiber::yield();
              throw mine{fiber, 0};
            } catch (const mine& m) {
              if (m.fiber == fiber && std::uncaught_exceptions() == 0) ++caught;
            }
          }
        });
      all.wait();
      e.equal(caught.load(), 32 * rounds);
    });
    e.report();
  });
}

TEST_CASE("exceptions: one travels through channels and tasks and is rethrown elsewhere") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long rounds = test::scale(5'000);
    expect e;
    run(test::on(processors), [&] {
      const chan<std::exception_ptr> c{4};
      auto thrower = spawn([&] {
        for (long i = 0; i < rounds; ++i) try {
            throw mine{i, 1};
          } catch (...) {
            c.send(std::current_exception());
          }
        c.close();
      });
      long next = 0;
      // Kept until the thrower has ended: libstdc++ counts an exception's owners in code that ThreadSanitizer cannot
      // see, so that a thrower that frees after our last look would pass for a race.
      std::vector<std::exception_ptr> kept;
      for (const std::exception_ptr& p : c) try {
          kept.push_back(p);
          std::rethrow_exception(p);
        } catch (const mine& m) {
          this_fiber::yield();
          if (m.fiber != next++) e(false);
        }
      thrower.join();
      e.equal(next, rounds);
    });
    e.report();
  });
}

TEST_CASE("exceptions: cancellation unwinds each fiber through its own frames") {
  test::in_fiber({1, 2, 4, 8}, [](expect& e) {
    for (long round = test::scale(200); round > 0; --round) test::storm::cancelled_frames(e, 50);
  });
}
