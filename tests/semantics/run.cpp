// run: the runtime's beginning and end.
#include "tests/support/support.hpp"

using namespace weft;

TEST_CASE("run: gives what main returned") {
  CHECK(run([] { return 42; }) == 42);
  CHECK(*run([] { return std::make_unique<int>(3); }) == 3);
  CHECK(run(test::on(2), [] { return std::string("text"); }) == "text");
  bool ran = false;
  run([&] { ran = true; });
  CHECK(ran);
}

TEST_CASE("run: an exception comes out") {
  CHECK_THROWS_WITH_AS(run([]() -> int { throw std::runtime_error("out of main"); }), "out of main",
                       std::runtime_error);
  CHECK_THROWS_AS(run([] { throw 5; }), int);
  CHECK(run([] { return 1; }) == 1);
}

TEST_CASE("run: again and again, on any number of processors") {
  test::for_processors({1, 2, 3, 4, 8, 1}, [](unsigned processors) {
    const int sum = run(test::on(processors), [] {
      const chan<int> c;
      for (int i = 0; i < 100; ++i) go([c, i] { c.send(i); });
      int total = 0;
      for (int i = 0; i < 100; ++i) total += *c.recv();
      return total;
    });
    CHECK(sum == 4950);
  });
}

TEST_CASE("run: the root is alive again in the next run") {
  for (int i = 0; i < 3; ++i) {
    const bool alive = run([] {
      auto scope = with_cancel(background());
      return !background().err() && !scope.ctx.err() && !this_fiber::context().err();
    });
    CHECK(alive);
  }
}

TEST_CASE("run: nested is refused, and the outer one goes on") {
  const auto [refused, after] = run([] {
    bool threw = false;
    try {
      run([] {});
    } catch (const std::logic_error&) {
      threw = true;
    }
    return std::pair(threw, spawn([] { return 5; }).join());
  });
  CHECK(refused);
  CHECK(after == 5);
}

TEST_CASE("run: main runs on a thread of the runtime, the caller waits") {
  const std::thread::id caller = std::this_thread::get_id();
  const std::thread::id inside = run([] { return std::this_thread::get_id(); });
  CHECK(caller != inside);
}

TEST_CASE("run: channels and contexts made before or kept after are usable") {
  const chan<int> before{1};
  CHECK(before.try_send(1));
  const chan<int> kept = run([&] {
    const chan<int> c{1};
    c.send(*before.recv() + 1);
    return c;
  });
  CHECK(kept.try_recv().value() == 2);
}

TEST_CASE("run: zero stack size and absurd options are refused by name") {
  runtime_options options;
  options.stack_size = 0;
  CHECK_THROWS_AS(run(options, [] {}), std::invalid_argument);
  CHECK(run([] { return 1; }) == 1);
}
