// condition_variable under load: nothing that was signalled is lost, whoever gives up.
#include <mutex>

#include "tests/storms/storms.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

TEST_CASE("condition_variable: a bounded queue between many, fibers and threads, loses and doubles nothing") {
  test::in_fiber({1, 2, 4}, [](expect& e) { test::storm::bounded_queue(e, test::scale(20'000)); });
}

// One notification for each token. The impatient look for a token only when they were notified. So if a notification
// went to one that reports cancellation, its token would be left lying before sleeping takers, and the storm not end.
TEST_CASE("condition_variable: notifications race with cancels, none is lost") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long tokens = test::scale(20'000);
    expect e;
    run(test::on(processors), [&] {
      mutex m;
      condition_variable c;
      long there = 0, taken = 0;
      bool over = false;
      wait_group takers;
      for (std::uint64_t fiber = 0; fiber < 8; ++fiber)
        takers.go([&, fiber] {
          const bool patient = fiber < 2;
          test::random chance(fiber + 1);
          std::unique_lock lock(m);
          bool look = patient;
          for (;;) {
            if (look && there > 0) {
              --there;
              ++taken;
            } else if (over) {
              return;
            }
            if (patient) {
              if (there == 0 && !over) c.wait(lock);
              continue;
            }
            auto timed = with_timeout(background(), std::chrono::nanoseconds(chance.below(20'000)));
            look = c.wait(timed, lock).has_value();
          }
        });
      for (long i = 0; i < tokens; ++i) {
        {
          const std::lock_guard lock(m);
          ++there;
        }
        c.notify_one();
        while (i % 4 == 3) {
          {
            const std::lock_guard lock(m);
            if (there == 0) break;
          }
          this_fiber::yield();
        }
      }
      {
        const std::lock_guard lock(m);
        over = true;
      }
      c.notify_all();
      takers.wait();
      e.equal(taken, tokens);
    });
    e.report();
  });
}
