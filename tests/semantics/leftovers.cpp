// The end of run: what fibers that are left over see.
#include "tests/support/support.hpp"

using namespace weft;

static runtime_options short_drain(unsigned processors) {
  runtime_options options = test::on(processors);
  options.drain = 200ms;  // a second one bounds the unwinding: not too short for a busy machine
  return options;
}

TEST_CASE("leftovers: get the time to finish by themselves") {
  test::for_processors({1, 4}, [](unsigned processors) {
    std::atomic<int> begun{0}, finished{0};
    run(test::on(processors), [&] {
      for (int i = 0; i < 50; ++i)
        go([&] {
          ++begun;
          this_fiber::sleep_for(5ms);
          ++finished;
        });
      while (begun != 50) this_fiber::yield();  // to begin may take a busy machine longer than it has to finish
    });
    CHECK(finished == 50);
  });
}

TEST_CASE("leftovers: hear of the end through background's done, and end at once") {
  test::for_processors({1, 4}, [](unsigned processors) {
    std::atomic<int> heard{0};
    runtime_options options = test::on(processors);
    options.drain = 1h;
    run(options, [&] {
      for (int i = 0; i < 50; ++i)
        go([&] {
          if (!background().done().recv()) ++heard;
        });
      test::settle();
    });
    CHECK(heard == 50);
  });
}

TEST_CASE("leftovers: the root closes only after main has returned") {
  std::atomic<bool> returned{false}, early{false};
  run(test::on(4), [&] {
    go([&] {
      background().done().recv();
      early = !returned;
    });
    test::settle();
    const defer last([&] { returned = true; });
  });
  CHECK_FALSE(early);
}

TEST_CASE("leftovers: unbound ones are thrown at after drain, so that their destructors run") {
  test::for_processors({1, 4}, [](unsigned processors) {
    test::tally inside;
    std::atomic<int> thrown{0};
    run(short_drain(processors), [&] {
      const chan<int> never;
      const chan<int> nobody;  // a channel of its own: a select that sends would serve those who receive
      for (int i = 0; i < 30; ++i)
        go([&, never, nobody, i] {
          const test::counted here(inside, i);
          try {
            if (i % 3 == 0) never.recv();
            if (i % 3 == 1) this_fiber::sleep_for(1h);
            if (i % 3 == 2) select(recv(never), send(nobody, 1));
          } catch (const canceled&) {
            ++thrown;
            throw;
          }
        });
      test::settle();
    });
    CHECK(inside.made == 30);
    CHECK(inside.alive() == 0);
    CHECK(thrown == 30);
  });
}

TEST_CASE("leftovers: one that was catching up is thrown at its next point") {
  std::atomic<bool> unwound{false};
  run(short_drain(2), [&] {
    go([&] {
      const defer last([&] { unwound = true; });
      for (;;) this_fiber::poll();
    });
    test::settle();
  });
  CHECK(unwound);
}

TEST_CASE("leftovers: bound ones too, and what each had captured is destroyed") {
  test::tally values;
  run(short_drain(1), [&] {
    auto scope = with_cancel(background());
    scope.cancel.release();
    go(scope, [held = test::counted(values)] { this_fiber::sleep_for(1h); });
    for (int i = 0; i < 10; ++i) go([held = test::counted(values)] { this_fiber::sleep_for(1h); });
  });
  CHECK(values.made == 11);
  CHECK(values.alive() == 0);
}

TEST_CASE("leftovers: an exception out of main waits for them as well") {
  test::tally inside;
  CHECK_THROWS_AS(run(short_drain(2),
                      [&] {
                        go([&] {
                          const test::counted here(inside);
                          this_fiber::sleep_for(1h);
                        });
                        test::settle();
                        throw std::runtime_error("out");
                      }),
                  std::runtime_error);
  CHECK(inside.alive() == 0);
}

// without_cancel has nothing that the end could cancel: it has to end the wait itself.
TEST_CASE("leftovers: waits under a context that is never cancelled end, too, those that begin late as well") {
  test::for_processors({1, 4}, [](unsigned processors) {
    std::atomic<int> waited{0}, late{0};
    run(short_drain(processors), [&] {
      const context never = without_cancel(background());
      const chan<int> nobody;
      for (int i = 0; i < 10; ++i) go([&, never, nobody] { waited += nobody.recv(never).error() == errc::canceled; });
      go([&, never, nobody] {
        try {
          for (;;) this_fiber::yield();
        } catch (const canceled&) {  // told of the end by now
        }
        late += nobody.recv(never).error() == errc::canceled;
      });
      test::settle();
    });
    CHECK(waited == 10);
    CHECK(late == 1);
  });
}

TEST_CASE("leftovers: what is thrown at one whose context lives says why") {
  test::for_processors({1, 4}, [](unsigned processors) {
    test::told_why told;
    run(short_drain(processors), [&] {
      go(without_cancel(background()), [&] { told.sleep(); });
      test::settle();
    });
    CHECK(told.code == errc::canceled);
    CHECK(told.why.starts_with("the runtime has ended"));
  });
}

TEST_CASE("leftovers: a lock that one of them waits for it gets") {
  test::for_processors({1, 4}, [](unsigned processors) {
    std::atomic<int> locked{0};
    run(short_drain(processors), [&] {
      const auto m = std::make_shared<mutex>();
      go([m] {
        const std::lock_guard hold(*m);
        this_fiber::sleep_for(1h);
      });
      this_fiber::yield();
      for (int i = 0; i < 3; ++i)
        go([&, m] {
          const std::lock_guard hold(*m);
          ++locked;
        });
      test::settle();
    });
    CHECK(locked == 3);
  });
}
