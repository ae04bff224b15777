// Where cancellation waits: shields, defers, unwinding, and handlers for canceled.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

static bool poll_throws() {
  try {
    this_fiber::poll();
  } catch (const canceled&) {
    return true;
  }
  return false;
}

// Runs `f` in a fiber whose context has been cancelled.
template <class F>
static void in_cancelled_fiber(F f) {
  auto scope = with_cancel(background());
  auto t = spawn(scope, [&] {
    scope.cancel();
    f();
  });
  t.join();
}

TEST_CASE("shield: nothing is thrown inside, the next point throws") {
  in_fiber([](expect& e) {
    in_cancelled_fiber([&] {
      const chan<int> c{1};
      const int got = shield([&] {
        c.send(4);
        this_fiber::yield();
        this_fiber::sleep_for(1ms);
        this_fiber::poll();
        return *c.recv();
      });
      e.equal(got, 4);
      e(poll_throws());
    });
  });
}

TEST_CASE("shield: a wait inside is not woken by cancel, and its value is not lost") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<int> c;
    int got = 0;
    bool threw = false;
    auto t = spawn(ctx, [&] {
      got = shield([&] { return *c.recv(); });
      threw = poll_throws();
    });
    test::settle();
    cancel();
    test::settle();
    e.equal(select(t.done(), otherwise()), 1);
    c.send(7);
    t.join();
    e.equal(got, 7);
    e(threw);
  });
}

TEST_CASE("shield: scopes nest, and an exception leaves them") {
  in_fiber([](expect& e) {
    in_cancelled_fiber([&] {
      {
        const shield_scope outer;
        {
          const shield_scope inner;
          e(!poll_throws());
        }
        e(!poll_throws());
        e.throws<std::runtime_error>([] { shield([] { throw std::runtime_error("out"); }); });
        e(!poll_throws());
      }
      e(poll_throws());
    });
  });
}

TEST_CASE("shield: the context itself is cancelled, and given-context calls inside say so") {
  in_fiber([](expect& e) {
    in_cancelled_fiber([&] {
      shield([&] {
        const context mine = this_fiber::context();
        e(mine.err() == errc::canceled);
        e(error_of(sleep_for(mine, 1h)) == errc::canceled);
      });
    });
  });
}

TEST_CASE("defer: runs at the end of its scope, shielded") {
  in_fiber([](expect& e) {
    std::vector<int> order;
    {
      const defer first([&] { order.push_back(2); });
      const defer second([&] { order.push_back(1); });
      order.push_back(0);
    }
    e(order == std::vector{0, 1, 2});
    in_cancelled_fiber([&] {
      bool finished = false;
      {
        const defer last([&] {
          this_fiber::yield();
          this_fiber::sleep_for(1ms);
          finished = !poll_throws();
        });
      }
      e(finished);
      e(poll_throws());
    });
  });
}

TEST_CASE("defer: runs during unwinding from canceled, and may wait") {
  in_fiber([](expect& e) {
    const chan<int> c;
    auto [ctx, cancel] = with_cancel(background());
    std::optional<int> got;
    auto t = spawn(ctx, [&] {
      const defer last([&] { got = c.recv(); });
      this_fiber::sleep_for(1h);
    });
    test::settle();
    cancel();
    c.send(3);
    e.throws<canceled>([&] { t.join(); });
    e.equal(got, std::optional(3));
  });
}

namespace {
struct waits_in_destructor {
  const chan<int>& c;
  std::optional<int>& got;
  ~waits_in_destructor() {
    this_fiber::yield();
    got = c.recv();
  }
};
}  // namespace

TEST_CASE("unwinding: destructors may pass points, from canceled and from any other exception") {
  in_fiber([](expect& e) {
    const chan<int> c{1};
    in_cancelled_fiber([&] {
      std::optional<int> got;
      (void)c.try_send(1);
      try {
        const waits_in_destructor w{c, got};
        this_fiber::poll();
      } catch (const canceled&) {
      }
      e.equal(got, std::optional(1));
      (void)c.try_send(2);
      try {
        const waits_in_destructor w{c, got};
        throw std::runtime_error("other");
      } catch (const std::runtime_error&) {
      }
      e.equal(got, std::optional(2));
      e(poll_throws());
    });
  });
}

TEST_CASE("handler for canceled: nothing is thrown until it ends, then the next point throws") {
  in_fiber([](expect& e) {
    in_cancelled_fiber([&] {
      const chan<int> c{1};
      bool passed = false;
      try {
        this_fiber::poll();
      } catch (const canceled&) {
        c.send(1);
        this_fiber::yield();
        this_fiber::sleep_for(1ms);
        c.recv();
        passed = true;
      }
      e(passed);
      e(poll_throws());
    });
  });
}

TEST_CASE("handler for canceled: what counts is that one is open, however deep; another exception's shields nothing") {
  in_fiber([](expect& e) {
    in_cancelled_fiber([&] {
      bool thrown = false;
      try {
        throw std::runtime_error("other");
      } catch (const std::runtime_error&) {
        thrown = poll_throws();
        try {
          this_fiber::poll();
        } catch (const canceled&) {
          e(!poll_throws());
        }
      }
      e(thrown);
      try {
        this_fiber::poll();
      } catch (const canceled&) {
        try {
          throw std::runtime_error("other");
        } catch (const std::runtime_error&) {
          e(!poll_throws());
        }
      }
      e(poll_throws());
    });
  });
}

TEST_CASE("weft's destructors are shielded: a task's waits for its fiber although its owner is cancelled") {
  in_fiber([](expect& e) {
    in_cancelled_fiber([&] {
      bool child_ended = false;
      {
        auto child = spawn([&] {
          const defer last([&] {
            this_fiber::sleep_for(1ms);
            child_ended = true;
          });
          this_fiber::sleep_for(1h);
        });
      }
      e(child_ended);
      e(poll_throws());
    });
  });
}

TEST_CASE("mutex::lock is no point: a cancelled fiber gets the lock and keeps it") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    mutex m;
    bool locked = false, threw = false;
    m.lock();
    auto t = spawn(ctx, [&] {
      const std::lock_guard lock(m);
      locked = true;
      threw = poll_throws();
    });
    test::settle();
    cancel();
    test::settle();
    e(!locked);
    m.unlock();
    t.join();
    e(locked);
    e(threw);
    e(m.try_lock());
    m.unlock();
  });
}
