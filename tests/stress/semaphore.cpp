// semaphore under load: units are conserved, whoever gives up.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

TEST_CASE("semaphore: weights, time-outs and tries by many, no unit is lost or made") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long each = test::scale(5'000);
    constexpr std::int64_t k_total = 7;
    expect e;
    run(test::on(processors), [&] {
      semaphore s(k_total);
      std::atomic<std::int64_t> held{0};
      std::atomic<long> had{0};
      const auto storm = [&](std::uint64_t seed, bool foreign) {
        test::random chance(seed);
        for (long i = 0; i < each; ++i) {
          const std::int64_t n = chance.below(50) == 0 ? k_total : chance.below(4);
          switch (chance.below(4)) {
            case 0:
              if (!s.try_acquire(n)) continue;
              break;
            case 1: {
              auto timed = with_timeout(background(), std::chrono::nanoseconds(chance.below(10'000)));
              if (!s.acquire(timed, n)) continue;
              break;
            }
            default:
              s.acquire(n);
          }
          if (held.fetch_add(n) + n > k_total) e(false);
          if (chance.below(4) == 0 && !foreign) this_fiber::yield();
          held -= n;
          ++had;
          s.release(n);
        }
      };
      wait_group all;
      for (std::uint64_t i = 1; i <= 8; ++i) all.go([&, i] { storm(i, false); });
      test::foreign thread([&] { storm(99, true); });
      all.wait();
      thread.join();
      e(had > 0);
      e(s.try_acquire(k_total));
      e(!s.try_acquire());
    });
    e.report();
  });
}

TEST_CASE("semaphore: fibers cancelled while they wait hold nothing, the others get all") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long rounds = test::scale(2'000);
    expect e;
    run(test::on(processors), [&] {
      for (long round = 0; round < rounds; ++round) {
        semaphore s(2);
        std::vector<task<void>> all;
        for (int i = 0; i < 8; ++i)
          all.push_back(spawn([&, i] {
            s.acquire(1 + i % 2);
            const defer back([&] { s.release(1 + i % 2); });
            this_fiber::yield();
          }));
        for (std::size_t i = 0; i < all.size(); i += 2) all[i].cancel();
        long ended = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
          try {
            all[i].join();
            ++ended;
          } catch (const canceled&) {
          }
        }
        e(ended >= 4);
        e(s.try_acquire(2));
      }
    });
    e.report();
  });
}
