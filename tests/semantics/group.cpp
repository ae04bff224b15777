// group: Go's errgroup.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

static const std::error_code k_broken = std::make_error_code(std::errc::broken_pipe);
static const std::error_code k_late = std::make_error_code(std::errc::io_error);

TEST_CASE("group: wait returns when all members have ended, and at once when there are none") {
  in_fiber([](expect& e) {
    group g;
    e(g.wait().has_value());
    std::atomic<int> ran{0};
    for (int i = 0; i < 100; ++i)
      g.go([&] {
        this_fiber::yield();
        ++ran;
      });
    e(g.wait().has_value());
    e.equal(ran.load(), 100);
    g.go([&] { ++ran; });  // and again
    e(g.wait().has_value());
    e.equal(ran.load(), 101);
  });
}

TEST_CASE("group: members in every form") {
  in_fiber([](expect& e) {
    group g;
    std::atomic<int> ran{0};
    const auto with_context = [&](const context& ctx) {
      ran += ctx == g.context();
      return result<void>();
    };
    g.go([&] { ++ran; });
    g.go([&]() -> std::error_code { return (++ran, std::error_code()); });
    g.go([&]() -> result<void> { return (++ran, result<void>()); });
    g.go(with_context);
    g.go([&](const context& ctx) { ran += ctx == this_fiber::context(); });
    g.go([&ran, only = std::make_unique<int>(1)]() mutable { ran += *std::move(only); });
    e(g.wait().has_value());
    e.equal(ran.load(), 6);
  });
}

TEST_CASE("group: the first error cancels the others at once, is the cause, and is what wait gives") {
  in_fiber([](expect& e) {
    group g(background());
    std::atomic<int> ended{0};
    for (int i = 0; i < 20; ++i)
      g.go([&](const context& ctx) -> std::error_code {
        ctx.done().recv(background());
        ++ended;
        return k_late;
      });
    for (int i = 0; i < 20; ++i)
      g.go([&] {
        const defer count([&] { ++ended; });
        this_fiber::sleep_for(1h);
      });
    test::settle();
    g.go([] { return k_broken; });
    e(error_of(g.wait()) == k_broken);
    e(error_of(g.wait()) == k_broken);
    e.equal(ended.load(), 40);
    std::error_code cause;
    try {
      std::rethrow_exception(g.context().cause());
    } catch (const std::system_error& s) {
      cause = s.code();
    }
    e(cause == k_broken);
  });
}

TEST_CASE("group: an exception is rethrown by wait, and cancels the others") {
  in_fiber([](expect& e) {
    group g;
    g.go([] { this_fiber::sleep_for(1h); });
    g.go([] { throw std::runtime_error("spilt"); });
    for (int i = 0; i < 2; ++i) {
      std::string text;
      try {
        static_cast<void>(g.wait());
      } catch (const std::runtime_error& error) {
        text = error.what();
      }
      e.equal(text, std::string("spilt"));
    }
  });
}

TEST_CASE("group: cancel, and a cancel of the parent, end the members; wait gives the context's error") {
  in_fiber([](expect& e) {
    group own;
    own.go([] { this_fiber::sleep_for(1h); });
    own.cancel();
    e(error_of(own.wait()) == errc::canceled);

    auto parent = with_cancel(background());
    group below(parent);
    below.go([] { chan<int>().recv(); });
    parent.cancel();
    e(error_of(below.wait()) == errc::canceled);

    auto timed = with_timeout(background(), 2ms);
    group slow(timed);
    slow.go([] { this_fiber::sleep_for(1h); });
    e(error_of(slow.wait()) == errc::deadline_exceeded);
  });
}

TEST_CASE("group: members that end well in spite of a cancel are no error") {
  in_fiber([](expect& e) {
    group g;
    g.go([] { shield([] { this_fiber::yield(); }); });
    g.cancel();
    e(g.wait().has_value());
  });
}

TEST_CASE("group: made from a context, its own ends when wait returns; made from none, it does not") {
  in_fiber([](expect& e) {
    group from_context(background()), from_nothing;
    for (group* g : {&from_context, &from_nothing}) {
      g->go([] {});
      e(!g->context().err());
      e(g->wait().has_value());
    }
    e(from_context.context().err() == errc::canceled);
    e(!from_nothing.context().err());
  });
}

TEST_CASE("group: never more than the limit at a time") {
  in_fiber([](expect& e) {
    for (const int limit : {1, 3}) {
      group g;
      g.set_limit(limit);
      std::atomic<int> now{0}, most{0}, ran{0};
      for (int i = 0; i < 60; ++i)
        g.go([&] {
          const int here = ++now;
          int seen = most;
          while (seen < here && !most.compare_exchange_weak(seen, here)) {
          }
          while (most < limit) this_fiber::yield();
          this_fiber::yield();
          --now;
          ++ran;
        });
      e(g.wait().has_value());
      e.equal(most.load(), limit);
      e.equal(ran.load(), 60);
    }
  });
}

TEST_CASE("group: try_go at the limit says no, and leaves the function alone") {
  in_fiber([](expect& e) {
    group g;
    g.set_limit(1);
    const chan<void> end;
    e(g.try_go([&] { end.recv(); }));
    auto kept = std::make_unique<int>(7);
    auto member = [kept = std::move(kept)] { static_cast<void>(kept); };
    e(!g.try_go(std::move(member)));
    end.close();
    e(g.wait().has_value());
    e(g.try_go(std::move(member)));
    e(g.wait().has_value());
    g.set_limit(0);
    e(!g.try_go([] {}));
    g.set_limit(-1);
    for (int i = 0; i < 100; ++i) e(g.try_go([] {}));
    e(g.wait().has_value());
  });
}

TEST_CASE("group: those that wait for a place get it in the order they came") {
  in_fiber({1}, [](expect& e) {
    group g;
    g.set_limit(1);
    const chan<void> end;
    g.go([&] { end.recv(); });
    std::vector<int> came, order;
    std::vector<task<void>> asking;
    for (int i = 0; i < 10; ++i)
      asking.push_back(spawn([&, i] {
        came.push_back(i);
        g.go([&, i] { order.push_back(i); });
      }));
    test::settle();
    end.close();
    for (auto& t : asking) t.join();
    e(g.wait().has_value());
    e.equal(order.size(), 10u);
    e(order == came);
  });
}

TEST_CASE("group: set_limit while members are active throws; zero makes go wait until it is raised") {
  in_fiber([](expect& e) {
    group g;
    const chan<void> end;
    g.go([&] { end.recv(); });
    e.throws<std::logic_error>([&] { g.set_limit(2); });
    end.close();
    e(g.wait().has_value());
    g.set_limit(0);
    std::atomic<bool> ran{false};
    auto asking = spawn([&] { g.go([&] { ran = true; }); });
    test::settle();
    e(!ran);
    g.set_limit(1);
    asking.join();
    e(g.wait().has_value());
    e(ran.load());
  });
}

TEST_CASE("group: go at the limit is a cancellation point: it throws, and the place is not lost") {
  in_fiber([](expect& e) {
    group g;
    g.set_limit(1);
    const chan<void> end;
    g.go([&] { end.recv(); });
    bool threw = false, ran = false;
    auto asking = spawn([&] {
      try {
        g.go([&] { ran = true; });
      } catch (const canceled&) {
        threw = true;
      }
    });
    test::settle();
    asking.cancel();
    asking.join();
    e(threw);
    end.close();
    e(g.wait().has_value());
    e(!ran);
    e(g.try_go([] {}));
    e(g.wait().has_value());
  });
}

TEST_CASE("group: go with a limit throws in a cancelled fiber even where there is room; without, it starts") {
  in_fiber([](expect& e) {
    group limited, unlimited;
    limited.set_limit(1);
    std::atomic<int> ran{0};
    auto [ctx, cancel] = with_cancel(background());
    cancel();
    auto asking = spawn(ctx, [&] {
      e.throws<canceled>([&] { limited.go([&] { ++ran; }); });
      unlimited.go([&] { ++ran; });
    });
    asking.join();
    e(limited.wait().has_value());
    e(unlimited.wait().has_value());
    e.equal(ran.load(), 1);
  });
}

TEST_CASE("group: wait is a cancellation point, and the members go on") {
  in_fiber([](expect& e) {
    group g;
    const chan<void> end;
    std::atomic<bool> ended{false};
    g.go([&] {
      end.recv();
      ended = true;
    });
    bool threw = false;
    auto waiting = spawn([&] {
      try {
        static_cast<void>(g.wait());
      } catch (const canceled&) {
        threw = true;
      }
    });
    test::settle();
    waiting.cancel();
    waiting.join();
    e(threw);
    e(!ended);
    end.close();
    e(g.wait().has_value());
    e(ended.load());
  });
}

TEST_CASE("group: its destructor cancels and waits, also while unwinding in a cancelled fiber") {
  in_fiber([](expect& e) {
    std::atomic<int> ended{0};
    const auto slow_end = [&] {
      const defer count([&] {
        this_fiber::yield();
        ++ended;
      });
      this_fiber::sleep_for(1h);
    };
    {
      group g;
      g.go(slow_end);
      g.go(slow_end);
    }
    e.equal(ended.load(), 2);
    e.throws<std::runtime_error>([&] {
      group g;
      g.go(slow_end);
      throw std::runtime_error("out");
    });
    e.equal(ended.load(), 3);
    auto [ctx, cancel] = with_cancel(background());
    auto t = spawn(ctx, [&] {
      group g;
      g.go(slow_end);
      static_cast<void>(g.wait());
    });
    test::settle();
    cancel();
    e.throws<canceled>([&] { t.join(); });
    e.equal(ended.load(), 4);
  });
}

TEST_CASE("group: members start members; what they captured is gone when wait returns") {
  in_fiber([](expect& e) {
    group g;
    test::tally captured;
    std::atomic<int> ran{0};
    for (int i = 0; i < 20; ++i)
      g.go([&, c = test::counted(captured)] {
        g.go([&, inner = test::counted(captured)] { ran += inner.owned(); });
        ran += c.owned();
      });
    e(g.wait().has_value());
    e.equal(ran.load(), 40);
    e.equal(captured.alive(), 0);
  });
}

TEST_CASE("group: a function whose copy throws was not started, and takes no place") {
  struct uncopyable {
    uncopyable() = default;
    uncopyable(const uncopyable&) { throw std::runtime_error("copy"); }
    void operator()() const {}
  };
  in_fiber([](expect& e) {
    group g;
    g.set_limit(1);
    const uncopyable f;
    e.throws<std::runtime_error>([&] { g.go(f); });
    e(g.try_go([] {}));
    e(g.wait().has_value());
  });
}

TEST_CASE("group: where no runtime runs, go throws and the group is as before") {
  group g(without_cancel(background()));
  g.set_limit(1);
  CHECK_THROWS_AS(g.go([] {}), std::logic_error);
  CHECK_THROWS_AS(g.try_go([] {}), std::logic_error);
  CHECK(!g.context().err());
  CHECK(g.wait().has_value());
}

TEST_CASE("group: from foreign threads") {
  in_fiber([](expect& e) {
    std::atomic<int> ran{0};
    test::foreign thread([&] {
      group g;
      g.set_limit(2);
      for (int i = 0; i < 20; ++i)
        g.go([&] {
          this_fiber::yield();
          ++ran;
        });
      e(g.wait().has_value());
      g.go([] { return k_broken; });
      e(error_of(g.wait()) == k_broken);
    });
    thread.join();
    e.equal(ran.load(), 20);
  });
}
