// once, singleflight and fiber_local under load.
#include <stdexcept>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

TEST_CASE("singleflight: flights and results balance, whoever leaves") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long each = test::scale(3'000);
    expect e;
    test::tally captured;
    run(test::on(processors), [&] {
      std::atomic<long> flying{0}, landed{0}, served{0}, left{0};
      {
        singleflight<int, long> s;
        wait_group all;
        for (std::uint64_t fiber = 1; fiber <= 10; ++fiber)
          all.go([&, fiber] {
            test::random chance(fiber);
            for (long i = 0; i < each; ++i) {
              const int key = static_cast<int>(chance.below(3));
              const auto fly = [&flying, &landed, key, c = std::make_shared<test::counted>(captured)] {
                const defer down([&] { ++landed; });
                ++flying;
                this_fiber::yield();
                this_fiber::yield();
                return 1000L * key + 1;
              };
              if (chance.below(16) == 0) s.forget(key);
              if (chance.below(2) == 0) {
                if (s.call(key, fly).value != 1000L * key + 1) e(false);
                ++served;
                continue;
              }
              auto timed = with_timeout(background(), std::chrono::nanoseconds(chance.below(10'000)));
              const auto got = s.call(timed, key, fly);
              if (!got)
                ++left;
              else if (got->value != 1000L * key + 1)
                e(false);
              else
                ++served;
            }
          });
        all.wait();
      }
      e.equal(served + left, 10 * each);
      e(flying <= served + left);
      e.equal(flying.load(), landed.load());
    });
    e.equal(captured.alive(), 0L);
    e.report();
  });
}

TEST_CASE("once: one call that does not throw, among many that do") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long rounds = test::scale(3'000);
    expect e;
    run(test::on(processors), [&] {
      for (long round = 0; round < rounds; ++round) {
        once o;
        int tries = 0, done = 0;  // guarded by the once
        std::atomic<int> thrown{0};
        wait_group all;
        for (int i = 0; i < 8; ++i)
          all.go([&] {
            try {
              o.call([&] {
                if (++tries <= 3) throw std::runtime_error("not yet");
                ++done;
              });
              if (done != 1) e(false);
            } catch (const std::runtime_error&) {
              ++thrown;
            }
          });
        all.wait();
        e.equal(tries, 4);
        e.equal(done, 1);
        e.equal(thrown.load(), 3);
      }
    });
    e.report();
  });
}

TEST_CASE("fiber_local: many fibers, each with its own, none left behind") {
  static test::tally made;
  struct value {
    test::counted c{made};
    long sum = 0;
  };
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long fibers = test::scale(20'000);
    expect e;
    run(test::on(processors), [&] {
      const fiber_local<value> one, two;
      wait_group all;
      for (long i = 0; i < fibers; ++i)
        all.go([&, i] {
          for (int j = 0; j < 4; ++j) {
            one->sum += i;
            two->sum -= i;
            this_fiber::yield();
          }
          if (one->sum != 4 * i || two->sum != -4 * i) e(false);
        });
      all.wait();
    });
    e.equal(made.alive(), 0L);
    e.report();
  });
}
