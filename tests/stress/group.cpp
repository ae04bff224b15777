// group, all, race, each, within and signals under load.
#include <csignal>
#include <ranges>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

TEST_CASE("group: under random cancels every go either started a member or threw, and no place is lost") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long rounds = test::scale(200);
    expect e;
    run(test::on(processors), [&] {
      for (long round = 0; round < rounds; ++round) {
        constexpr int k_limit = 3;
        group g;
        g.set_limit(k_limit);
        std::atomic<long> started{0}, thrown{0}, ran{0}, now{0};
        std::vector<task<void>> askers;
        for (int i = 0; i < 30; ++i)
          askers.push_back(spawn([&, seed = round * 30 + i] {
            test::random dice(static_cast<std::uint64_t>(seed));
            for (int j = 0; j < 4; ++j) {
              try {
                g.go([&, turns = dice.below(4)] {
                  e(++now <= k_limit);
                  for (unsigned t = 0; t < turns; ++t) this_fiber::yield();
                  --now;
                  ++ran;
                });
                ++started;
              } catch (const canceled&) {
                ++thrown;
              }
            }
          }));
        test::random dice(static_cast<std::uint64_t>(round));
        for (int k = 0; k < 15; ++k) {
          askers[dice.below(30)].cancel();
          this_fiber::yield();
        }
        for (auto& t : askers) t.join();
        e(g.wait().has_value());
        e.equal(started + thrown, 120l);
        e.equal(ran.load(), started.load());
        const chan<void> end;
        for (int i = 0; i < k_limit; ++i) e(g.try_go([&] { end.recv(); }));
        e(!g.try_go([] {}));
        end.close();
        e(g.wait().has_value());
      }
    });
    e.report();
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

// A tree of calls, of which some fail and some run out of time; counts who is in it.
static int tree(test::random& dice, int depth, std::atomic<long>& inside) {
  ++inside;
  const defer out([&] { --inside; });
  if (depth == 0) {
    const unsigned what = dice.below(16);
    if (what == 0) throw std::runtime_error("leaf");
    if (what == 1) this_fiber::sleep_for(1h);
    if (what < 6) this_fiber::yield();
    return 1;
  }
  test::random a(dice.next()), b(dice.next());
  const auto left = [&] { return tree(a, depth - 1, inside); };
  const auto right = [&] { return tree(b, depth - 1, inside); };
  switch (dice.below(4)) {
    case 0: {
      const auto [x, y] = all(left, right);
      return x + y;
    }
    case 1:
      return race(left, right);
    case 2: {
      std::atomic<int> sum{0};
      const auto seeds = {a.next(), b.next(), dice.next()};
      each(seeds, 2, [&](std::uint64_t seed) {
        test::random own(seed);
        sum += tree(own, depth - 1, inside);
      });
      return sum;
    }
    default:
      return within(500us, left).value_or(0);
  }
}

TEST_CASE("structured: a random tree of calls leaves no child behind, however it ends") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long rounds = test::scale(400);
    expect e;
    std::atomic<long> inside{0};
    long values = 0, exceptions = 0, timeouts = 0, cancels = 0;
    run(test::on(processors), [&] {
      for (long round = 0; round < rounds; ++round) {
        test::random dice(static_cast<std::uint64_t>(round + 1));
        auto parent = with_cancel(background());
        auto cancels_it = spawn([&, turns = dice.below(60)] {
          for (unsigned i = 0; i < turns; ++i) this_fiber::yield();
          if (turns % 3 == 0) parent.cancel();
        });
        auto t = spawn(parent, [&] {
          try {
            within(5ms, [&] { return tree(dice, 4, inside); }) ? ++values : ++timeouts;
          } catch (const canceled&) {
            ++cancels;
            e(parent.ctx.err() == errc::canceled);
          } catch (const std::runtime_error&) {
            ++exceptions;
          }
          e.equal(inside.load(), 0l);
        });
        t.join();
        cancels_it.join();
      }
    });
    e.equal(values + exceptions + timeouts + cancels, rounds);
    e.report();
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
