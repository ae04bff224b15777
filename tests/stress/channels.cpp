// Channels and selects under load: unique numbers go in, the same come out.
#include "tests/storms/storms.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;
namespace storm = test::storm;

TEST_CASE("channel: many to many, unbuffered and buffered, every number arrives once") {
  for (const int capacity : {0, 1, 7, 128})
    in_fiber({1, 2, 4, 8}, [&](expect& e) {
      storm::many_to_many(e, capacity, 8, 8, test::scale(25'000));
      storm::many_to_many(e, capacity, 1, 16, test::scale(50'000));
      storm::many_to_many(e, capacity, 16, 1, test::scale(5'000));
    });
}

TEST_CASE("select storm: random selects over shared channels, every number arrives once") {
  for (const int capacity : {0, 1, 16})
    in_fiber({1, 2, 4, 8}, [&](expect& e) { storm::selects(e, capacity, test::scale(10'000), 0); });
}

TEST_CASE("channel: closed under load, every receiver ends and nothing is lost") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long rounds = test::scale(3'000);
    expect e;
    run(test::on(processors), [&] {
      for (long round = 0; round < rounds; ++round) {
        const chan<long> c{static_cast<int>(round % 4)};
        std::atomic<long> sum{0};
        wait_group receiving;
        for (int r = 0; r < 4; ++r)
          receiving.go([&] {
            for (const long v : c) sum += v;
          });
        for (long i = 1; i <= 10; ++i) c.send(i);
        c.close();
        receiving.wait();
        e.equal(sum.load(), 55);
      }
    });
    e.report();
  });
}

// Those woken so far run on other processors while the close goes on.
TEST_CASE("channel: closed with many waiting, each hears of it once, and nothing gets in meanwhile") {
  test::in_fiber({1, 2, 4}, [](expect& e) {
    const long rounds = test::scale(10);
    for (long round = 0; round < rounds; ++round) {
      constexpr long k_waiting = 5'000;
      const chan<long> c, never;
      std::atomic<long> ended{0}, got{0}, refused{0};
      wait_group all;
      for (long i = 0; i < k_waiting; ++i)
        all.go([&, i] {
          bool more = true;
          switch (i % 3) {
            case 0:
              more = c.recv().has_value();
              break;
            case 1:
              more = c.recv(background()).has_value();
              break;
            default: {
              std::optional<long> v;
              if (select(recv(c, v), recv(never)) == 0) more = v.has_value();
            }
          }
          ++(more ? got : ended);
        });
      for (int meddler = 0; meddler < 2; ++meddler)
        all.go([&] {
          while (error_of(c.try_recv()) != errc::closed) this_fiber::yield();
          try {
            c.try_send(1);
          } catch (const std::logic_error&) {
            ++refused;
          }
          e(!c.recv());
        });
      test::settle();
      c.close();
      all.wait();
      e.equal(ended.load(), k_waiting);
      e.equal(got.load(), 0);
      e.equal(refused.load(), 2);
    }
  });
}

TEST_CASE("channel: foreign threads and fibers share one, every number arrives once") {
  in_fiber({1, 2, 4}, [](expect& e) { storm::fibers_and_threads(e, test::scale(20'000)); });
}
