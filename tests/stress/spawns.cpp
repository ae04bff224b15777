// Spawning by the million.
#include <list>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

TEST_CASE("spawn: a million from 4 foreign threads, each runs once") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long each = test::scale(250'000);
    expect e;
    run(test::on(processors), [&] {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(4 * each));
      wait_group all;
      all.add(static_cast<int>(4 * each));
      std::list<test::foreign> threads;
      for (long t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
          for (long i = t * each; i < (t + 1) * each; ++i)
            go([&, i] {
              ++runs[static_cast<std::size_t>(i)];
              all.done();
            });
        });
      all.wait();
      long once = 0;
      for (const auto& n : runs) once += n == 1;
      e.equal(once, 4 * each);
    });
    e.report();
  });
}

TEST_CASE("spawn: batches of tasks, joined in any order") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long batches = test::scale(200);
    expect e;
    run(test::on(processors), [&] {
      for (long b = 0; b < batches; ++b) {
        std::vector<task<long>> tasks;
        for (long i = 0; i < 1000; ++i)
          tasks.push_back(spawn([i] {
            if (i % 10 == 0) this_fiber::yield();
            return i;
          }));
        long sum = 0;
        if (b % 2)
          for (auto& t : tasks) sum += t.join();
        else
          for (auto t = tasks.rbegin(); t != tasks.rend(); ++t) sum += t->join();
        e.equal(sum, 499'500);
      }
    });
    e.report();
  });
}

TEST_CASE("spawn: tasks dropped at any stage are cancelled and joined") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long rounds = test::scale(20'000);
    expect e;
    test::tally values;
    run(test::on(processors), [&] {
      test::random chance(processors);
      for (long i = 0; i < rounds; ++i) {
        auto t = spawn([held = test::counted(values)] { this_fiber::sleep_for(1h); });
        for (unsigned turns = chance.below(4); turns > 0; --turns) this_fiber::yield();
      }
      e.equal(values.alive(), 0);
      e.equal(values.made, rounds);
    });
    e.report();
  });
}

TEST_CASE("spawn: a tree by tens sums up") {
  struct tree {
    static long sum(long first, long size) {
      if (size == 1) return first;
      std::vector<task<long>> children;
      for (long i = 0; i < 10; ++i) children.push_back(spawn([=] { return sum(first + i * (size / 10), size / 10); }));
      long total = 0;
      for (auto& child : children) total += child.join();
      return total;
    }
  };
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long leaves = test::scale_factor() < 1 ? 10'000 : 100'000;
    const long sum = run(test::on(processors), [&] { return tree::sum(0, leaves); });
    CHECK(sum == leaves * (leaves - 1) / 2);
  });
}
