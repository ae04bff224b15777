// shared_mutex under load: exclusion holds and everybody has a turn, whoever gives up.
#include <mutex>
#include <shared_mutex>

#include "tests/storms/storms.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

TEST_CASE("shared_mutex: writes by many fibers and threads add up, and nobody reads in the middle") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long each = test::scale(20'000);
    expect e;
    run(test::on(processors), [&] {
      test::storm::guarded g;
      std::atomic<long> writes{0};
      const auto storm = [&](std::uint64_t seed) {
        test::random chance(seed);
        long latest = 0;
        for (long i = 0; i < each; ++i) {
          if (chance.below(4) == 0) {
            const std::unique_lock lock(g.m);
            g.write(e);
            ++writes;
          } else {
            const std::shared_lock lock(g.m);
            const long seen = g.read(e);
            if (seen < latest) e(false);
            latest = seen;
          }
        }
      };
      wait_group all;
      for (std::uint64_t i = 1; i <= 8; ++i) all.go([&, i] { storm(i); });
      test::foreign one([&] { storm(98); }), two([&] { storm(99); });
      all.wait();
      one.join();
      two.join();
      e.equal(g.plain, writes.load());
      e(g.m.try_lock());
      g.m.unlock();
    });
    e.report();
  });
}

TEST_CASE("shared_mutex: tries and time-outs among waiters, held over yields") {
  test::in_fiber({1, 2, 4}, [](expect& e) { test::storm::readers_and_writers(e, test::scale(4'000), 0); });
}
