// Locks, groups and sleepers under load.
#include <list>
#include <mutex>

#include "tests/storms/storms.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

TEST_CASE("mutex: counters kept by many fibers and threads add up") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long each = test::scale(50'000);
    expect e;
    run(test::on(processors), [&] {
      mutex m;
      long total = 0;
      wait_group all;
      const auto count = [&] {
        for (long i = 0; i < each; ++i) {
          const std::lock_guard lock(m);
          ++total;
        }
      };
      for (int i = 0; i < 8; ++i) all.go(count);
      std::list<test::foreign> threads;
      for (int i = 0; i < 2; ++i) threads.emplace_back(count);
      all.wait();
      threads.clear();
      e.equal(total, 10 * each);
    });
    e.report();
  });
}

TEST_CASE("mutex: held over yields by many, in turn") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long each = test::scale(2'000);
    expect e;
    run(test::on(processors), [&] {
      mutex a, b;
      long both = 0;
      wait_group all;
      for (int i = 0; i < 50; ++i)
        all.go([&] {
          for (long j = 0; j < each; ++j) {
            const std::scoped_lock locks(a, b);
            const long before = both;
            if (j % 8 == 0) this_fiber::yield();
            both = before + 1;
          }
        });
      all.wait();
      e.equal(both, 50 * each);
    });
    e.report();
  });
}

TEST_CASE("wait_group: used again and again, with many waiters, none returns early") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long rounds = test::scale(10'000);
    expect e;
    run(test::on(processors), [&] {
      for (long round = 0; round < rounds; ++round) {
        wait_group working, waiting;
        std::atomic<int> ran{0};
        working.add(8);
        for (int i = 0; i < 4; ++i)
          waiting.go([&] {
            working.wait();
            if (ran != 8) e(false);
          });
        for (int i = 0; i < 8; ++i)
          go([&] {
            ++ran;
            working.done();
          });
        working.wait();
        e(ran == 8);
        waiting.wait();
      }
    });
    e.report();
  });
}

TEST_CASE("wait_group: waits given up by a deadline while the count goes to zero") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long rounds = test::scale(20'000);
    expect e;
    run(test::on(processors), [&] {
      test::random chance(processors);
      for (long round = 0; round < rounds; ++round) {
        wait_group one;
        std::atomic<bool> done{false};
        one.go([&] {
          this_fiber::yield();
          done = true;
        });
        auto scope = with_timeout(background(), std::chrono::nanoseconds(chance.below(3000)));
        if (one.wait(scope) && !done) e(false);
        one.wait();
        e(done.load());
      }
    });
    e.report();
  });
}

TEST_CASE("timers: 100,000 sleepers, none early, all wake") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long sleepers = test::scale(100'000);
    expect e;
    run(test::on(processors), [&] {
      wait_group all;
      std::atomic<long> woke{0}, early{0};
      for (long i = 0; i < sleepers; ++i)
        all.go([&, i] {
          test::random chance(static_cast<std::uint64_t>(i));
          const auto until = clock::now() + std::chrono::microseconds(chance.below(1'000'000));
          this_fiber::sleep_until(until);
          early += clock::now() < until;
          ++woke;
        });
      all.wait();
      e.equal(woke.load(), sleepers);
      e.equal(early.load(), 0);
    });
    e.report();
  });
}

TEST_CASE("timers: made, stopped, reset and fired at random, none fires after stop and none is missed") {
  test::in_fiber({1, 2, 4, 8}, [](expect& e) { test::storm::timers(e, test::scale(20'000), 0); });
}

TEST_CASE("timers: a million started and stopped leave nothing behind") {
  test::for_processors({1, 4}, [](unsigned processors) {
    const long rounds = test::scale(1'000'000);
    expect e;
    run(test::on(processors), [&] {
      const auto round = [](long n) {
        for (long i = 0; i < n; ++i) {
          const timer t(1h);
          (void)t.stop();
        }
      };
      round(rounds / 10);
      const std::size_t before = test::resident_bytes();
      round(rounds);
      e(test::resident_bytes() < before + (16 << 20));
    });
    e.report();
  });
}
