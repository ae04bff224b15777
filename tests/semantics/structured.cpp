// all, race, each, within.
#include <deque>
#include <map>
#include <ranges>
#include <set>
#include <sstream>
#include <weft/synctest.hpp>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

static const std::error_code k_step_broken = std::make_error_code(std::errc::broken_pipe);

// Sleeps until it is cancelled, and counts that.
static auto endless(std::atomic<int>& ended) {
  return [&] {
    const defer count([&] { ++ended; });
    this_fiber::sleep_for(1h);
  };
}

// Runs f in a bound fiber, cancels that once `begun` is set, and says whether `canceled` came out.
template <class F>
static bool cancelled_out_of(const std::atomic<bool>& begun, F f) {
  auto [ctx, cancel] = with_cancel(background());
  bool threw = false;
  auto t = spawn(ctx, [&] {
    try {
      f();
    } catch (const canceled& c) {
      threw = c.code() == errc::canceled && c.cause() != nullptr;
    }
  });
  while (!begun) this_fiber::yield();
  cancel();
  t.join();
  return threw;
}

TEST_CASE("all: every value in its place, void as monostate, references and move-only values too") {
  in_fiber([](expect& e) {
    int x = 1;
    auto [number, nothing, pointer, reference] =
        all([] { return 42; }, [&] { ++x; }, [] { return std::make_unique<int>(7); }, [&]() -> int& { return x; });
    e.equal(number, 42);
    e(nothing == std::monostate());
    e.equal(*pointer, 7);
    e(&reference == &x);
    e.equal(x, 2);
    e(all() == std::tuple<>());
    static_assert(std::same_as<decltype(all([] { return 1; }, [] {})), std::tuple<int, std::monostate>>);
  });
}

TEST_CASE("all: the children run at the same time") {
  in_fiber([](expect& e) {
    const chan<int> a, b;
    auto [first, second] = all(
        [&] {
          a.send(1);
          return *b.recv();
        },
        [&] {
          const int got = *a.recv();
          b.send(2);
          return got;
        });
    e.equal(first, 2);
    e.equal(second, 1);
  });
}

TEST_CASE("all: an exception cancels the others, waits for them, and is rethrown") {
  in_fiber([](expect& e) {
    std::atomic<int> ended{0};
    std::string text;
    try {
      all(endless(ended), [] { throw std::runtime_error("first"); }, endless(ended));
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
    e.equal(text, std::string("first"));
    e.equal(ended.load(), 2);
  });
}

TEST_CASE("all: an error value cancels the others and stays in its place") {
  in_fiber([](expect& e) {
    auto [bad, cut, code] = all([]() -> result<int> { return std::unexpected(k_step_broken); },
                                []() -> result<int> {
                                  this_fiber::sleep_for(1h);
                                  return 1;
                                },
                                []() -> std::error_code {
                                  this_fiber::sleep_for(1h);
                                  return {};
                                });
    e(error_of(bad) == k_step_broken);
    e(error_of(cut) == errc::canceled);
    e(code == errc::canceled);
    auto [good, also] = all([]() -> result<int> { return 1; }, [] { return std::error_code(); });
    e.equal(good.value(), 1);
    e(!also);
  });
}

TEST_CASE("all: an error value that left another child without a value is thrown") {
  in_fiber([](expect& e) {
    std::atomic<int> ended{0};
    std::error_code thrown;
    try {
      all([]() -> result<void> { return std::unexpected(k_step_broken); }, endless(ended));
    } catch (const std::system_error& error) {
      thrown = error.code();
    }
    e(thrown == k_step_broken);
    e.equal(ended.load(), 1);
  });
}

TEST_CASE("all, race and each: a cancel of the caller ends the children, and is thrown once they have ended") {
  in_fiber([](expect& e) {
    std::atomic<bool> begun{false};
    std::atomic<int> ended{0};
    const auto child = [&] {
      begun = true;
      endless(ended)();
    };
    const auto waits = [&] { endless(ended)(); };
    e(cancelled_out_of(begun, [&] { all(child, waits); }));
    begun = false;
    e(cancelled_out_of(begun, [&] { race(child, waits); }));
    begun = false;
    e(cancelled_out_of(begun, [&] { each(std::vector{1, 2, 3, 4}, 2, [&](int) { child(); }); }));
    e(ended >= 5);
  });
}

TEST_CASE("all, race and each: in a fiber that is cancelled already they throw and start nothing") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    cancel();
    auto t = spawn(ctx, [&] {
      bool ran = false;
      const auto child = [&] { ran = true; };
      e.throws<canceled>([&] { all(child); });
      e.throws<canceled>([&] { race(child); });
      e.throws<canceled>([&] { each(std::vector{1}, 1, [&](int) { ran = true; }); });
      e(!ran);
    });
    t.join();
  });
}

TEST_CASE("all, race and each: in a shield of a cancelled fiber the children are not cancelled") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    cancel();
    int ran = 0;
    auto t = spawn(ctx, [&] {
      const auto child = [&] {
        this_fiber::yield();
        ++ran;
      };
      const defer clean_up([&] {
        all(child);
        race(child);
        each(std::vector{1}, 1, [&](int) { child(); });
      });
    });
    t.join();
    e.equal(ran, 3);
  });
}

TEST_CASE("all: children are bound below the caller's context, with its values") {
  struct key {
    using type = int;
  };
  in_fiber([](expect& e) {
    auto t = spawn(with_value<key>(background(), 5), [&] {
      auto [seen] = all([] {
        const int* v = this_fiber::context().value<key>();
        return v == nullptr ? 0 : *v;
      });
      return seen;
    });
    e.equal(t.join(), 5);
  });
}

TEST_CASE("race: the first success is given, the losers are cancelled and joined") {
  in_fiber([](expect& e) {
    std::atomic<int> ended{0};
    const auto loser = [&] {
      endless(ended)();
      return 1;
    };
    e.equal(race(loser, [] { return 2; }, loser), 2);
    e.equal(ended.load(), 2);
    race([] {}, [&] { loser(); });
    e.equal(ended.load(), 3);
    static_assert(std::same_as<decltype(race([] { return 1; }, [] { return 2L; })), long>);
    e.equal(*race([] { return std::make_unique<int>(3); }), 3);
  });
}

TEST_CASE("race: failures do not decide while there is hope") {
  in_fiber([](expect& e) {
    const chan<void> failed{2};
    const int got = race(
        [&]() -> int {
          failed.send();
          throw std::runtime_error("no");
        },
        [&] {
          failed.recv();
          for (int i = 0; i < 10; ++i) this_fiber::yield();
          return 4;
        });
    e.equal(got, 4);
    const result<int> r = race([]() -> result<int> { return std::unexpected(k_step_broken); },
                               []() -> result<int> {
                                 for (int i = 0; i < 10; ++i) this_fiber::yield();
                                 return 5;
                               });
    e.equal(r.value(), 5);
  });
}

TEST_CASE("race: when none succeeds, the first failure is rethrown or given") {
  in_fiber([](expect& e) {
    const chan<void> first;
    std::string text;
    try {
      race(
          [&]() -> int {
            const defer next([&] { first.close(); });
            throw std::runtime_error("one");
          },
          [&]() -> int {
            first.recv();
            for (int i = 0; i < 100; ++i) this_fiber::yield();
            throw std::runtime_error("two");
          });
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
    e(text == "one" || text == "two");
    e(error_of(race([]() -> result<int> { return std::unexpected(k_step_broken); })) == k_step_broken);
    e(error_of(race([]() -> result<void> { return std::unexpected(k_step_broken); })) == k_step_broken);
  });
}

TEST_CASE("race: with a timer as the hedge") {
  in_fiber([](expect& e) {
    const int got = race(
        [] {
          this_fiber::sleep_for(1h);
          return 1;
        },
        [] {
          this_fiber::sleep_for(1ms);
          return 2;
        });
    e.equal(got, 2);
  });
}

TEST_CASE("each: every element once, at most so many at a time, by reference") {
  in_fiber([](expect& e) {
    for (const int limit : {1, 3, -1}) {
      std::vector<int> v(50, 1);
      std::atomic<int> now{0}, most{0};
      each(v, limit, [&](int& x) {
        const int here = ++now;
        int seen = most;
        while (seen < here && !most.compare_exchange_weak(seen, here)) {
        }
        this_fiber::yield();
        x += 1;
        --now;
      });
      e(v == std::vector<int>(50, 2));
      e(limit < 0 || most <= limit);
    }
    each(std::vector<int>(), 1, [&](int) { e(false); });
    e.throws<std::logic_error>([] { each(std::vector{1}, 0, [](int) {}); });
  });
}

TEST_CASE("each: elements that the range does not keep are moved into the child") {
  in_fiber([](expect& e) {
    std::mutex m;
    std::multiset<int> got;
    const auto note = [&](int x) {
      this_fiber::yield();
      const std::lock_guard hold(m);
      got.insert(x);
    };
    each(std::views::iota(0, 5), -1, note);
    std::istringstream text("5 6 7");
    each(std::views::istream<int>(text), -1, [&](int& x) { note(x); });
    const chan<std::unique_ptr<int>> c{3};
    for (int i = 8; i < 11; ++i) c.send(std::make_unique<int>(i));
    c.close();
    each(c, 2, [&](std::unique_ptr<int> p) { note(*p); });
    std::vector<bool> bits{true, false};
    each(bits, 2, [&](auto&& bit) { note(bit ? 12 : 11); });
    each(std::map<int, int>{{13, 14}}, 2, [&](const auto& entry) {
      note(entry.first);
      note(entry.second);
    });
    e(got == std::multiset{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14});
  });
}

TEST_CASE("each: the first failure ends the children and the walk, even one that is blocked in the range") {
  in_fiber([](expect& e) {
    std::atomic<int> ended{0};
    std::error_code thrown;
    const chan<int> c;  // stays open: the walk is blocked in it
    auto feeder = spawn([&] {
      c.send(0);
      c.send(1);
    });
    try {
      each(c, 5, [&](int x) -> std::error_code {
        if (x == 1) return k_step_broken;
        endless(ended)();
        return {};
      });
    } catch (const std::system_error& error) {
      thrown = error.code();
    }
    e(thrown == k_step_broken);
    e.equal(ended.load(), 1);
    feeder.join();
    std::atomic<int> begun{0};
    e.throws<std::runtime_error>([&] {
      each(std::views::iota(0, 1'000'000), 4, [&](int) {
        ++begun;
        throw std::runtime_error("each");
      });
    });
    e(begun < 1'000'000);
    e(!this_fiber::context().err());
  });
}

TEST_CASE("each: an exception from the range cancels and joins the children, and passes") {
  in_fiber([](expect& e) {
    std::atomic<int> ended{0};
    e.throws<std::out_of_range>([&] {
      each(std::views::iota(0, 5) | std::views::transform([](int i) {
             if (i == 3) throw std::out_of_range("three");
             return i;
           }),
           -1, [&](int) { endless(ended)(); });
    });
    e(ended <= 3);
  });
}

TEST_CASE("within: the value of what ends in time, not wrapped twice; exceptions pass") {
  in_fiber([](expect& e) {
    e.equal(within(1h, [] { return 3; }).value(), 3);
    e(within(1h, [] {}).has_value());
    const result<int> flat = within(1h, []() -> result<int> { return std::unexpected(k_step_broken); });
    e(error_of(flat) == k_step_broken);
    e.throws<std::runtime_error>([] { static_cast<void>(within(1h, [] { throw std::runtime_error("in"); })); });
    e.equal(*within(1h, [] { return std::make_unique<int>(4); }).value(), 4);
    e(!this_fiber::context().deadline());
  });
}

TEST_CASE("within: its own deadline is errc::deadline_exceeded, in every kind of wait, in place") {
  in_fiber([](expect& e) {
    const fiber_id here = this_fiber::id();
    const chan<int> c;
    const auto begin = clock::now();
    e(error_of(within(2ms, [] { this_fiber::sleep_for(1h); })) == errc::deadline_exceeded);
    e(clock::now() - begin >= 2ms);
    e(error_of(within(2ms, [&] { return c.recv(); })) == errc::deadline_exceeded);
    e(error_of(within(2ms, [&] { select(recv(c)); })) == errc::deadline_exceeded);
    e(error_of(within(2ms, [&] { return c.recv(this_fiber::context()); })) == errc::deadline_exceeded);
    e(error_of(within(2ms, [&] {
        for (;;) this_fiber::poll();
      })) == errc::deadline_exceeded);
    e(error_of(within(-1s, [&] { this_fiber::poll(); })) == errc::deadline_exceeded);
    e(within(1h, [&] { return this_fiber::id() == here; }).value());
    this_fiber::poll();  // and the fiber is as before
    e(!c.try_send(1));
  });
}

TEST_CASE("within: a value that came in spite of the deadline counts") {
  in_fiber([](expect& e) {
    const auto r = within(1ms, [] {
      shield([] { this_fiber::sleep_for(3ms); });
      return 1;
    });
    e.equal(r.value(), 1);
  });
}

TEST_CASE("within: an outer cancel passes as canceled") {
  in_fiber([](expect& e) {
    std::atomic<bool> begun{false};
    e(cancelled_out_of(begun, [&] {
      static_cast<void>(within(1h, [&] {
        begun = true;
        this_fiber::sleep_for(1h);
      }));
      e(false);
    }));
  });
}

TEST_CASE("within: nested, the deadline that has passed decides") {
  in_fiber([](expect& e) {
    bool after_inner = false;
    const auto inner_first = within(1h, [&] {
      e(error_of(within(2ms, [] { this_fiber::sleep_for(1h); })) == errc::deadline_exceeded);
      after_inner = true;
    });
    e(inner_first.has_value());
    e(after_inner);
    const auto outer_first = within(2ms, [&] {
      static_cast<void>(within(1h, [] { this_fiber::sleep_for(1h); }));
      e(false);
    });
    e(error_of(outer_first) == errc::deadline_exceeded);
  });
}

// In a bubble, whose time stands still until the children sleep: where the 5 ms were real, on a busy machine
//     this fiber                        the deadline
//     enters within
//                                       comes
//     all: cancelled; starts no child   … and none has ended
TEST_CASE("within: around all, the children end with the deadline") {
  in_fiber([](expect& e) {
    std::atomic<int> ended{0};
    synctest::bubble([&] {
      const auto r = within(5ms, [&] { return all(endless(ended), endless(ended)); });
      e(error_of(r) == errc::deadline_exceeded);
    });
    e.equal(ended.load(), 2);
  });
}

TEST_CASE("structured: from foreign threads") {
  in_fiber([](expect& e) {
    const chan<int> c;
    test::foreign thread([&] {
      auto [a, b] = all([] { return 1; }, [] { return 2; });
      e.equal(a + b, 3);
      e.equal(race([] { return 1; }), 1);
      std::atomic<int> sum{0};
      each(std::vector{1, 2, 3}, 2, [&](int x) { sum += x; });
      e.equal(sum.load(), 6);
      e(error_of(within(2ms, [&] { return c.recv(); })) == errc::deadline_exceeded);
      e(error_of(within(2ms, [] { this_fiber::sleep_for(1h); })) == errc::deadline_exceeded);
      e.equal(within(1h, [] { return 1; }).value(), 1);
      e(error_of(within(2ms, [&] { each(c, 1, [](int) {}); })) == errc::deadline_exceeded);
    });
    thread.join();
    e(!c.try_send(1));
  });
}
