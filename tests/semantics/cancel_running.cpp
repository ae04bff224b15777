// Cancellation of a bound fiber that is running: it throws at its next point, whether or not that would have blocked.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

// In a bound fiber whose context is cancelled already: does `point` throw?
template <class F>
static bool throws_when_cancelled(F point) {
  auto scope = with_cancel(background());
  bool threw = false;
  auto t = spawn(scope, [&] {
    scope.cancel();
    try {
      point();
    } catch (const canceled&) {
      threw = true;
    }
  });
  t.join();
  return threw;
}

TEST_CASE("running: every blocking call is a point, also where it would not have blocked") {
  in_fiber([](expect& e) {
    const chan<int> c{2};
    const chan<void> closed;
    wait_group none;
    auto finished = spawn([] {});
    finished.done().recv();
    c.send(1);
    closed.close();
    e(throws_when_cancelled([&] { c.recv(); }));
    e(throws_when_cancelled([&] { c.send(2); }));
    e(throws_when_cancelled([&] { closed.recv(); }));
    e(throws_when_cancelled([&] { select(recv(c)); }));
    e(throws_when_cancelled([&] { select(send(c, 1), recv(c)); }));
    e(throws_when_cancelled([&] { none.wait(); }));
    e(throws_when_cancelled([&] { finished.join(); }));
    e(throws_when_cancelled([] { this_fiber::sleep_for(0ms); }));
    e(throws_when_cancelled([] { this_fiber::sleep_for(1h); }));
    e(throws_when_cancelled([] { this_fiber::yield(); }));
    e(throws_when_cancelled([] { this_fiber::poll(); }));
    e.equal(c.len(), 1u);
  });
}

TEST_CASE("running: what is not a point does not throw") {
  in_fiber([](expect& e) {
    const chan<int> c{2};
    mutex m;
    e(!throws_when_cancelled([&] {
      e(c.try_send(1));
      e(c.len() == 1 && c.cap() == 2);
      e(c.try_recv().has_value());
      e(error_of(c.try_recv()) == errc::would_block);
      m.lock();
      m.unlock();
      e(m.try_lock());
      m.unlock();
      auto child = with_cancel(this_fiber::context());
      e(child.ctx.err() == errc::canceled);
      chan<int>().close();
      go([] {});
    }));
  });
}

TEST_CASE("running: a loop that polls ends") {
  in_fiber({2, 4}, [](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    std::atomic<bool> looping{false};
    auto t = spawn(ctx, [&] {
      for (;;) {
        looping = true;
        this_fiber::poll();
      }
    });
    while (!looping) this_fiber::yield();
    cancel();
    e.throws<canceled>([&] { t.join(); });
  });
}

TEST_CASE("running: cancellation is level-triggered, each point throws again") {
  in_fiber([](expect& e) {
    auto scope = with_cancel(background());
    int thrown = 0;
    auto t = spawn(scope, [&] {
      scope.cancel();
      for (int i = 0; i < 5; ++i) {
        try {
          this_fiber::poll();
        } catch (const canceled&) {
          ++thrown;
        }
      }
    });
    t.join();
    e.equal(thrown, 5);
  });
}

TEST_CASE("running: canceled is no std::exception, and says code and cause") {
  static_assert(!std::is_base_of_v<std::exception, canceled>);
  in_fiber([](expect& e) {
    auto scope = with_cancel_cause(background());
    const auto why = std::make_exception_ptr(std::runtime_error("why"));
    bool right = false;
    auto t = spawn(scope, [&] {
      scope.cancel(why);
      try {
        this_fiber::poll();
      } catch (const std::exception&) {
      } catch (const canceled& c) {
        right = c.code() == errc::canceled && c.cause() == why;
      }
    });
    t.join();
    e(right);
  });
}

TEST_CASE("running: a fiber spawned under a cancelled context throws at its first point, not before") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    cancel();
    bool began = false, passed = false;
    auto t = spawn(ctx, [&] {
      began = true;
      this_fiber::poll();
      passed = true;
    });
    e.throws<canceled>([&] { t.join(); });
    e(began);
    e(!passed);
  });
}

TEST_CASE("running: bind_scope binds for a scope") {
  in_fiber([](expect& e) {
    auto inner = with_cancel(background());
    const context outer = this_fiber::context();
    bool threw = false;
    {
      const bind_scope scope(inner.ctx);
      e(this_fiber::context() == inner.ctx);
      inner.cancel();
      try {
        this_fiber::poll();
      } catch (const canceled&) {
        threw = true;
      }
    }
    e(threw);
    e(this_fiber::context() == outer);
    this_fiber::poll();
  });
}

TEST_CASE("running: a fiber knows its context, one without is at the root") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const context& bound = ctx;
    const chan<bool> same;
    go(bound, [&bound, same] { same.send(this_fiber::context() == bound); });
    e.equal(same.recv(), std::optional(true));
    go([same] { same.send(!this_fiber::context().err() && !this_fiber::context().deadline()); });
    e.equal(same.recv(), std::optional(true));
  });
}
