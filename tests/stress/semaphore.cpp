// semaphore under load: units are conserved, whoever gives up.
#include "tests/storms/storms.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

TEST_CASE("semaphore: weights, time-outs and tries by many, no unit is lost or made") {
  test::in_fiber({1, 2, 4}, [](expect& e) { test::storm::semaphore_units(e, test::scale(5'000), 0); });
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
