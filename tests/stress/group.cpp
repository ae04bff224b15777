// group, all, race, each, within and signals under load.
#include <csignal>
#include <ranges>

#include "tests/storms/storms.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
namespace storm = test::storm;

TEST_CASE("group: under random cancels every go either started a member or threw, and no place is lost") {
  test::in_fiber({1, 2, 4}, [](expect& e) {
    for (long round = test::scale(200); round > 0; --round) storm::group_places(e, static_cast<std::uint64_t>(round));
  });
}

TEST_CASE("group: of many errors at the same moment exactly one is given, to every waiter") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long rounds = test::scale(1'000);
    expect e;
    run(test::on(processors), [&] {
      for (long round = 0; round < rounds; ++round) {
        group g;
        std::atomic<int> ended{0};
        for (int i = 1; i <= 8; ++i)
          g.go([&, i]() -> std::error_code {
            const defer count([&] { ++ended; });
            if (i % 2 == 0) this_fiber::yield();
            if (i % 3 == 0) throw i;
            return {i, std::generic_category()};
          });
        const auto give = [&] {
          try {
            return error_of(g.wait()).value();
          } catch (int i) {
            return i;
          }
        };
        auto other = spawn(give);
        const int mine = give();
        e(mine >= 1 && mine <= 8);
        e.equal(other.join(), mine);
        e.equal(ended.load(), 8);
      }
    });
    e.report();
  });
}

TEST_CASE("structured: a random tree of calls leaves no child behind, however it ends") {
  test::in_fiber({1, 2, 4}, [](expect& e) {
    for (long round = test::scale(400); round > 0; --round) storm::tree_of_calls(e, static_cast<std::uint64_t>(round));
  });
}

TEST_CASE("each: sums what a channel brings, whoever feeds it") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long count = test::scale(20'000);
    expect e;
    run(test::on(processors), [&] {
      const chan<long> c{16};
      std::atomic<long> sum{0};
      all(
          [&] {
            for (long i = 1; i <= count; ++i) c.send(i);
            c.close();
          },
          [&] {
            each(c, 8, [&](long i) {
              if (i % 7 == 0) this_fiber::yield();
              sum += i;
            });
          });
      e.equal(sum.load(), count * (count + 1) / 2);
    });
    e.report();
  });
}

TEST_CASE("signals: each is heard while others come and go") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long count = test::scale(1'000);
    expect e;
    run(test::on(processors), [&] {
      const chan<int> c{1};
      signals::notify(c, {SIGUSR1});
      std::atomic<bool> over{false};
      wait_group others;
      for (int i = 0; i < 4; ++i)
        others.go([&, i] {
          do {
            if (i % 2 == 0) {
              const chan<int> mine{1};
              signals::notify(mine, {SIGUSR1, SIGUSR2});
              raise(SIGUSR2);
              signals::stop(mine);
              e(mine.try_recv().has_value());
            } else {
              auto scope = signals::notify_context(background(), {SIGUSR2});
              raise(SIGUSR2);
              scope.ctx.done().recv();
            }
            this_fiber::yield();
          } while (!over);
        });
      test::foreign sender([&] {
        for (long i = 0; i < count; ++i) {
          raise(SIGUSR1);
          e(c.recv() == SIGUSR1);
        }
      });
      sender.join();
      over = true;
      others.wait();
      signals::stop(c);
      e.equal(c.len(), 0u);
    });
    e.report();
  });
}
