// go and what a fiber knows about itself.
#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

// On one processor, where nobody is interrupted.
template <class F>
void in_order(F&& body) {
  runtime_options options = test::on(1);
  options.preemption = false;
  expect seen;
  run(options, [&] { body(seen); });
  seen.report();
}

}  // namespace

TEST_CASE("go: runs, whatever the closure holds") {
  in_fiber([](expect& e) {
    const chan<int> c;
    go([c] { c.send(1); });
    e.equal(c.recv(), std::optional(1));
    go([c, p = std::make_unique<int>(2)] { c.send(*p); });
    e.equal(c.recv(), std::optional(2));
    std::array<int, 200> large{};
    large[199] = 3;
    go([c, large] { c.send(large[199]); });
    e.equal(c.recv(), std::optional(3));
  });
}

TEST_CASE("go: the result is dropped, the closure destroyed once") {
  in_fiber([](expect& e) {
    test::tally values;
    wait_group all;
    all.add(50);
    for (int i = 0; i < 50; ++i)
      go([&all, held = test::counted(values, i)] {
        all.done();
        return held.value();
      });
    all.wait();
    while (values.alive() != 0) this_fiber::yield();
    e.equal(values.made, 50);
  });
}

TEST_CASE("go: options bind, name and size the fiber") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<bool> bound{1};
    spawn_options options;
    options.name = "named";
    options.bound = ctx;
    options.stack_size = 256 << 10;
    go(options, [bound] {
      volatile char room[160 << 10];  // more than the default stack
      room[0] = 1;
      room[sizeof room - 1] = 1;
      try {
        this_fiber::sleep_for(1h);
      } catch (const canceled&) {
        bound.send(room[0] == 1);
      }
    });
    test::settle();
    cancel();
    e.equal(bound.recv(), std::optional(true));
  });
}

TEST_CASE("go: every living fiber has an id of its own") {
  in_fiber([](expect& e) {
    const chan<fiber_id> ids{100};
    const chan<void> end;
    for (int i = 0; i < 100; ++i)
      go([ids, end] {
        const fiber_id mine = this_fiber::id();
        ids.send(mine);
        end.recv();
      });
    std::set<fiber_id> seen{this_fiber::id()};
    for (int i = 0; i < 100; ++i) seen.insert(*ids.recv());
    e.equal(seen.size(), 101u);
    end.close();
  });
}

TEST_CASE("go: an id stays the same over waits") {
  in_fiber([](expect& e) {
    const fiber_id before = this_fiber::id();
    test::settle();
    this_fiber::sleep_for(1ms);
    this_fiber::set_name("main of the test");
    e(this_fiber::id() == before);
  });
}

TEST_CASE("go: yield lets every other ready fiber run") {
  in_fiber({1}, [](expect& e) {
    int turns = 0;
    for (int i = 0; i < 10; ++i) go([&] { ++turns; });
    test::settle();
    e.equal(turns, 10);
  });
}

// What is shared is turns between yields, so nobody may be interrupted. One who was waits up to a slice, and in that
// time:
//     a                                  b
//     yields                             begins its turn
//                                        is interrupted, waits with its thread
//     yields to main, main to a, a thousand times, in less than a slice
TEST_CASE("go: fibers that only yield share the processor") {
  in_fiber({1}, [](expect& e) {
    std::array<int, 4> turns{};
    bool stop = false;
    wait_group all;
    all.add(4);
    for (int& mine : turns)
      go([&] {
        const no_preempt whole_turns;
        while (!stop) {
          ++mine;
          this_fiber::yield();
        }
        all.done();
      });
    while (turns[0] < 1000) this_fiber::yield();
    stop = true;
    all.wait();
    for (const int mine : turns) e(mine > 100);
  });
}

// More than a processor's own queue holds, so most of them wait in the global one.
TEST_CASE("go: of many fibers none begins long after those that were made later") {
  in_order([](expect& e) {
    constexpr int k_fibers = 5'000, k_nearly = 700;
    std::vector<int> begun;
    wait_group all;
    for (int i = 0; i < k_fibers; ++i) all.go([&begun, i] { begun.push_back(i); });
    all.wait();
    int latest = 0;
    for (int at = 0; at < k_fibers; ++at) latest = std::max(latest, at - begun[static_cast<std::size_t>(at)]);
    e(latest < k_nearly);
  });
}

//     main                         the processor's queue                   the global queue
//     makes 500                    the latest of them                      the rest, and of each round before
//     yields                       a share of those, all at once
//     makes 500 more               has no room: half of it is driven out   … behind all that came in since
TEST_CASE("go: who has come out of the global queue is not driven back into it" * doctest::skip(test::k_chaos)) {
  in_order([](expect& e) {
    constexpr int k_rounds = 10, k_each = 500, k_nearly = 3'000;  // a share at once: 3,966
    std::vector<int> begun;
    wait_group all;
    for (int round = 0; round < k_rounds; ++round) {
      for (int i = 0; i < k_each; ++i) all.go([&begun, mine = round * k_each + i] { begun.push_back(mine); });
      this_fiber::yield();
    }
    all.wait();
    int latest = 0;
    for (int at = 0; at < k_rounds * k_each; ++at) latest = std::max(latest, at - begun[static_cast<std::size_t>(at)]);
    e(latest < k_nearly);
  });
}

//     fiber                        main                                    the global queue
//     waits for `hurry`
//                                  makes 2,500 fibers                      2,300 that have not begun
//                                  hurry.send(): the fiber is ready
//                                  makes 2,500 more: it is driven out      4,700, and among them the fiber
//                                  of the processor's queue
TEST_CASE("go: a fiber that is woken does not wait for all that have not begun") {
  in_order([](expect& e) {
    constexpr int k_fibers = 2'500, k_before = 1'000;
    int begun = 0, begun_before = -1;
    const chan<void> hurry{1};
    wait_group all;
    all.go([&] {
      hurry.recv();
      begun_before = begun;
    });
    this_fiber::yield();
    const auto make_many = [&] {
      for (int i = 0; i < k_fibers; ++i) all.go([&begun] { ++begun; });
    };
    make_many();
    hurry.send();
    make_many();
    all.wait();
    e.equal(begun, 2 * k_fibers);
    e(begun_before >= 0);
    e(begun_before < k_before);
  });
}

TEST_CASE("go: canceled escaping from a bound fiber is an ordinary end") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    wait_group all;
    all.add(20);
    bool slept = false;
    for (int i = 0; i < 20; ++i)
      go(ctx, [&] {
        const defer last([&] { all.done(); });
        this_fiber::sleep_for(1h);
        slept = true;
      });
    cancel();
    all.wait();
    e(!slept);
  });
}
