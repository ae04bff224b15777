// interruptible(f): a cancel leaves f wherever it is. Loops here call nothing, so that only a signal can end them.
#include <cerrno>
#include <cfenv>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <thread>

#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

// ThreadSanitizer delivers signals late, with a frame that is no longer true: there f runs to its end.
#if WEFT_TSAN
#define ABANDONS doctest::skip()
#else
#define ABANDONS doctest::skip(false)
#endif

namespace {

using counter = std::atomic<std::uint64_t>;

void nothing() {}
int eleven() { return 11; }

void count(counter& c) { c.store(c.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

// Never ends by itself.
auto endless(counter& c) {
  return [&c] {
    for (;;) count(c);
  };
}

// The same, after a look at what it is bound to.
auto asking(counter& c) {
  return [&c] {
    if (this_fiber::context().err()) return;
    for (;;) count(c);
  };
}

// A fiber bound to `ctx` in an endless interruptible loop; gives what came of it.
auto spin(const context& ctx, counter& turns) {
  return spawn(ctx, [&turns] { return error_of(interruptible(endless(turns))); });
}

void await_turns(const counter& turns) {
  for (const std::uint64_t before = turns; turns == before;) this_fiber::yield();
}

}  // namespace

TEST_CASE("interruptible: gives the value, or void, and no error") {
  in_fiber([](expect& e) {
    e.equal(interruptible([] { return 7; }).value(), 7);
    e(interruptible([] {}).has_value());
    struct pair {
      int a;
      double b;
    };
    auto [ctx, cancel] = with_cancel(background());
    const bind_scope bound(ctx);
    const result<pair> p = interruptible([] { return pair{1, 2.5}; });
    e(p.has_value() && p->a == 1 && p->b == 2.5);
    const auto f = [n = 3]() { return n; };
    e.equal(interruptible(f).value(), 3);
    int calls = 0;
    e(interruptible([&calls]() mutable { ++calls; }).has_value());
    e.equal(calls, 1);
    e(interruptible(nothing).has_value());
    e.equal(interruptible(eleven).value(), 11);
  });
}

TEST_CASE("interruptible: only what may be left behind is returned") {
  constexpr auto allowed = []<class R>(R (*)()) { return requires(R (*f)()) { interruptible(f); }; };
  static_assert(allowed(static_cast<int (*)()>(nullptr)));
  static_assert(allowed(static_cast<void (*)()>(nullptr)));
  static_assert(!allowed(static_cast<std::string (*)()>(nullptr)));
  static_assert(!allowed(static_cast<int& (*)()>(nullptr)));
}

TEST_CASE("interruptible: on a foreign thread and in an unbound fiber it is just the call") {
  int got = 0;
  std::thread([&] { got = interruptible([] { return 3; }).value(); }).join();
  CHECK(got == 3);
  in_fiber([](expect& e) {
    auto t = spawn(background(), [] { return interruptible([] { return 4; }).value(); });
    e.equal(t.join(), 4);
  });
}

TEST_CASE("interruptible: cancelled before it begins, f is not called") {
  in_fiber([](expect& e) {
    auto scope = with_cancel(background());
    auto late = with_deadline(background(), clock::now() - 1s);
    int calls = 0;
    scope.cancel();
    auto t = spawn(scope, [&] { return error_of(interruptible([&] { ++calls; })); });
    e(t.join() == errc::canceled);
    auto u = spawn(late, [&] { return error_of(interruptible([&] { return ++calls; })); });
    e(u.join() == errc::deadline_exceeded);
    e.equal(calls, 0);
  });
}

TEST_CASE("interruptible: a loop that calls nothing is left on cancel" * ABANDONS) {
  in_fiber({2, 4}, [](expect& e) {
    for (int i = 0; i < 50; ++i) {
      auto [ctx, cancel] = with_cancel(background());
      counter turns{0};
      auto t = spin(ctx, turns);
      await_turns(turns);
      cancel();
      e(t.join() == errc::canceled);
    }
  });
}

TEST_CASE("interruptible: a loop that calls nothing is left when the deadline passes" * ABANDONS) {
  in_fiber({2, 4}, [](expect& e) {
    for (int i = 0; i < 20; ++i) {
      auto [ctx, cancel] = with_timeout(background(), 2ms);
      counter turns{0};
      auto t = spin(ctx, turns);
      e(t.join() == errc::deadline_exceeded);
    }
  });
}

TEST_CASE("interruptible: a foreign thread cancels a loop on the only processor" * ABANDONS) {
  in_fiber({1}, [](expect& e) {
    for (int i = 0; i < 20; ++i) {
      auto [ctx, cancel] = with_cancel(background());
      counter turns{0};
      test::foreign other([&turns, &end = cancel] {
        while (turns == 0) std::this_thread::yield();
        end();
      });
      const bind_scope bound(ctx);
      e(error_of(interruptible(endless(turns))) == errc::canceled);
      e.throws<canceled>([] { this_fiber::poll(); });
      const shield_scope shielded;  // to join
      other.join();
    }
  });
}

TEST_CASE("interruptible: a task that asks for its context within f is left as well" * ABANDONS) {
  in_fiber({2, 4}, [](expect& e) {
    for (int i = 0; i < 20; ++i) {
      counter turns{0};
      auto t = spawn([&turns] { return error_of(interruptible(asking(turns))); });
      await_turns(turns);
      t.cancel();
      e(t.join() == errc::canceled);
    }
  });
}

TEST_CASE("interruptible: the bound context's parent cancels as well, and the end of the run" * ABANDONS) {
  in_fiber({2}, [](expect& e) {
    auto parent = with_cancel(background());
    auto child = with_cancel(parent);
    counter turns{0};
    auto t = spin(child, turns);
    await_turns(turns);
    parent.cancel();
    e(t.join() == errc::canceled);
  });
  counter turns{0};
  std::error_code left;
  runtime_options o = test::on(2);
  o.drain = 200ms;
  run(o, [&] {
    go([&] { left = error_of(interruptible(endless(turns))); });
    await_turns(turns);
  });
  CHECK(left == errc::canceled);
}

TEST_CASE("interruptible: an exception passes, and what it leaves is in order") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const bind_scope bound(ctx);
    for (int i = 0; i < 100; ++i) {
      e.throws<std::runtime_error>([] { (void)interruptible([] { throw std::runtime_error("out"); }); });
      e(interruptible([] { return std::uncaught_exceptions(); }).value() == 0);
    }
  });
}

TEST_CASE("interruptible: f may park, go on elsewhere, and is then cancelled" * ABANDONS) {
  in_fiber({1, 2, 4}, [](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<int> there, back;
    auto t = spawn(ctx, [&] {
      return error_of(interruptible([&] {
        for (int i = 0; i < 100; ++i) {
          there.send(i);
          back.recv();
          this_fiber::yield();
        }
        (void)there.recv();  // for ever
      }));
    });
    for (int i = 0; i < 100; ++i) {
      e.equal(*there.recv(), i);
      back.send(i);
    }
    test::await_waiting("channel receive", 1);
    cancel();
    e.throws<canceled>([&] { t.join(); });
  });
}

TEST_CASE("interruptible: cancelled while it waits undisturbed, a loop after that is left" * ABANDONS) {
  in_fiber({2, 4}, [](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    mutex m;
    m.lock();
    counter turns{0};
    auto t = spawn(ctx, [&] {
      return error_of(interruptible([&] {
        m.lock();  // no cancellation point
        m.unlock();
        for (;;) count(turns);
      }));
    });
    test::settle();
    cancel();
    test::settle();
    m.unlock();
    e(t.join() == errc::canceled);
  });
}

TEST_CASE("interruptible: nested, the innermost ends first" * ABANDONS) {
  in_fiber({2, 4}, [](expect& e) {
    std::atomic<int> inner_left{0};
    for (int i = 0; i < 20; ++i) {
      auto [ctx, cancel] = with_cancel(background());
      counter inner{0}, outer{0};
      auto t = spawn(ctx, [&] {
        return error_of(interruptible([&] {
          if (error_of(interruptible(endless(inner))) == errc::canceled) ++inner_left;
          for (;;) count(outer);
        }));
      });
      await_turns(inner);
      e.equal(outer.load(), 0u);
      cancel();
      e(t.join() == errc::canceled);
    }
    e(inner_left > 0);  // not each time: the next signal may strike the outer one as soon as the inner one has ended
  });
}

TEST_CASE("interruptible: within a shield, in f or around it, nothing is left" * ABANDONS) {
  in_fiber({2, 4}, [](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    counter around{0}, within{0}, after{0};
    std::atomic<bool> open{false}, whole{false};
    auto t = spawn(ctx, [&] {
      {
        const shield_scope closed;
        whole = interruptible([&] {
                  while (!open) count(around);
                }).has_value();
      }
      return error_of(interruptible([] {}));  // cancelled by now
    });
    await_turns(around);
    cancel();
    await_turns(around);
    await_turns(around);
    open = true;
    e(t.join() == errc::canceled);
    e(whole.load());

    open = false;
    auto second = with_cancel(background());
    auto u = spawn(second.ctx, [&] {
      return error_of(interruptible([&] {
        shield([&] {
          while (!open) count(within);
        });
        for (;;) count(after);
      }));
    });
    await_turns(within);
    second.cancel();
    for (int i = 0; i < 20; ++i) await_turns(within);
    e.equal(after.load(), 0u);
    open = true;
    e(u.join() == errc::canceled);
  });
}

TEST_CASE("interruptible: no_preempt holds it off" * ABANDONS) {
  in_fiber({2, 4}, [](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    counter within{0}, after{0};
    std::atomic<bool> open{false}, passed{false};
    auto t = spawn(ctx, [&] {
      return error_of(interruptible([&] {
        {
          const no_preempt whole;
          while (!open) count(within);
          passed = true;
        }
        for (;;) count(after);
      }));
    });
    await_turns(within);
    cancel();
    for (int i = 0; i < 20; ++i) await_turns(within);
    open = true;
    e(t.join() == errc::canceled);
    e(passed.load());
  });
}

namespace {

struct owner {
  test::tally& where;
  explicit owner(test::tally& t) : where(t) { ++where.made; }
  ~owner() { ++where.destroyed; }
  owner(const owner&) = delete;
  owner& operator=(const owner&) = delete;
};

std::atomic<bool> always_false{false};
[[gnu::noinline]] void may_throw() {
  if (always_false) throw std::runtime_error("never");
}

// Has something to destroy for as long as `open` is false.
[[gnu::noinline]] void owns_something(test::tally& t, counter& turns, const std::atomic<bool>& open) {
  const owner o(t);
  while (!open) {
    count(turns);
    may_throw();
  }
}

[[gnu::noinline]] void deep(int n, counter& turns) {
  while (n == 0 && !always_false) count(turns);
  if (n != 0) deep(n - 1, turns);
  count(turns);
}

}  // namespace

TEST_CASE("interruptible: a frame with a destructor is not left until it is gone" * ABANDONS) {
  in_fiber({2, 4}, [](expect& e) {
    for (int i = 0; i < 20; ++i) {
      auto [ctx, cancel] = with_cancel(background());
      test::tally t;
      counter within{0}, after{0};
      std::atomic<bool> open{false};
      auto f = spawn(ctx, [&] {
        return error_of(interruptible([&] {
          owns_something(t, within, open);
          for (;;) count(after);
        }));
      });
      await_turns(within);
      cancel();
      for (int k = 0; k < 20; ++k) await_turns(within);
      e.equal(t.alive(), 1);
      e.equal(after.load(), 0u);
      open = true;
      e(f.join() == errc::canceled);
      e.equal(t.alive(), 0);
    }
  });
}

TEST_CASE("interruptible: through many frames of f's" * ABANDONS) {
  in_fiber({2, 4}, [](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    counter turns{0};
    auto t = spawn(ctx, [&] { return error_of(interruptible([&] { deep(100, turns); })); });
    await_turns(turns);
    cancel();
    e(t.join() == errc::canceled);
  });
}

namespace {
long fibonacci(long n) noexcept { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
}  // namespace

TEST_CASE("interruptible: a recursion with a value is left at any depth, also of an f that throws nothing" * ABANDONS) {
  in_fiber({2, 4}, [](expect& e) {
    for (int i = 0; i < 20; ++i) {
      const auto once = within(1ms, [] { return interruptible([] { return fibonacci(80); }); });
      e(error_of(once) == errc::deadline_exceeded);
      const auto again = within(1ms, [] { return interruptible([]() noexcept { return fibonacci(80); }); });
      e(error_of(again) == errc::deadline_exceeded);
    }
    e.equal(interruptible([] { return fibonacci(10); }).value(), 55);
  });
}

TEST_CASE("interruptible: rounding is as it was before f" * ABANDONS) {
  in_fiber({2}, [](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    counter turns{0};
    auto t = spawn(ctx, [&] {
      const int before = std::fegetround();
      const std::error_code left = error_of(interruptible([&] {
        std::fesetround(FE_UPWARD);
        for (;;) count(turns);
      }));
      return left == errc::canceled && before == FE_TONEAREST && std::fegetround() == FE_TONEAREST;
    });
    await_turns(turns);
    cancel();
    e(t.join());
  });
}
