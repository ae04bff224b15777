// singleflight.
#include <stdexcept>

#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

using flights = singleflight<std::string, int>;

struct request_name {
  using type = std::string;
};

// Callers on their flight wait for its fiber.
void await_callers(long count) { test::await_waiting("join", count); }

}  // namespace

TEST_CASE("singleflight: one runs for all who call meanwhile, and each gets the value") {
  in_fiber({1, 2, 4}, [](expect& e) {
    flights s;
    std::atomic<int> runs{0};
    const chan<void> go_on;
    const auto call = [&] {
      return s.call("key", [&] {
        (void)go_on.recv();
        return ++runs;
      });
    };
    std::vector<task<flights::outcome>> all;
    for (int i = 0; i < 10; ++i) all.push_back(spawn(call));
    await_callers(10);
    go_on.send();
    for (auto& t : all) {
      const auto got = t.join();
      e.equal(got.value, 1);
      e(got.shared);
    }
    const auto later = s.call("key", [&] { return ++runs; });
    e.equal(later.value, 2);
    e(!later.shared);
  });
}

TEST_CASE("singleflight: keys do not share") {
  in_fiber([](expect& e) {
    flights s;
    const auto outer = s.call("a", [&] { return s.call("b", [] { return 20; }).value + 1; });
    e.equal(outer.value, 21);
    e(!outer.shared);
  });
}

TEST_CASE("singleflight: runs in a fiber of its own") {
  in_fiber([](expect& e) {
    flights s;
    const fiber_id caller = this_fiber::id();
    (void)s.call("key", [&] {
      e(this_fiber::id() != caller);
      return 0;
    });
  });
}

TEST_CASE("singleflight: an exception and an error reach every caller") {
  in_fiber([](expect& e) {
    flights s;
    const chan<void> go_on;
    const auto fail = [&]() -> int {
      (void)go_on.recv();
      throw std::runtime_error("failed");
    };
    auto one = spawn([&] { return s.call("key", fail); });
    auto two = spawn([&] { return s.call(background(), "key", fail); });
    await_callers(2);
    go_on.send();
    e.throws<std::runtime_error>([&] { (void)one.join(); });
    e.throws<std::runtime_error>([&] { (void)two.join(); });

    const auto refuse = [&]() -> result<int> {
      (void)go_on.recv();
      return std::unexpected(std::make_error_code(std::errc::timed_out));
    };
    auto three = spawn([&] { return s.call(background(), "key", refuse); });
    auto four = spawn([&] { return s.call("key", refuse); });
    await_callers(2);
    go_on.send();
    const result<flights::outcome> refused = three.join();
    e(error_of(refused) == std::errc::timed_out);
    e.throws<std::system_error>([&] { (void)four.join(); });

    const auto fine = s.call(background(), "key", [] { return result<int>(7); });
    e(fine && fine->value == 7);
  });
}

TEST_CASE("singleflight: a caller that leaves takes nothing from the others") {
  in_fiber([](expect& e) {
    flights s;
    const chan<void> go_on;
    auto leader = spawn([&] {
      return s.call("key", [go_on] {
        (void)go_on.recv();
        return 5;
      });
    });
    await_callers(1);
    auto other = spawn([&] { return s.call("key", [] { return 6; }); });
    await_callers(2);
    leader.cancel();
    e.throws<canceled>([&] { (void)leader.join(); });
    go_on.send();
    e.equal(other.join().value, 5);
  });
}

TEST_CASE("singleflight: the flight is cancelled when the last caller has left, and nobody joins it any more") {
  in_fiber([](expect& e) {
    flights s;
    const chan<void> started, ended{1};
    const auto fly = [started, ended] {
      const defer told([ended] { ended.send(); });
      started.send();
      this_fiber::sleep_for(1h);
      return 1;
    };
    auto [ctx, cancel] = with_cancel(background());
    const context& given = ctx;
    auto one = spawn([&] { return s.call(given, "key", fly); });
    (void)started.recv();
    auto two = spawn([&] { return s.call("key", fly); });
    await_callers(2);
    cancel();
    const auto left = one.join();
    e(!left.has_value());
    e(error_of(left) == errc::canceled);
    e(select(recv(ended), after(2ms)) == 1);
    two.cancel();
    e.throws<canceled>([&] { (void)two.join(); });
    const auto fresh = s.call("key", [] { return 2; });
    e.equal(fresh.value, 2);
    e(!fresh.shared);
    e(ended.recv());
  });
}

TEST_CASE("singleflight: a caller that is cancelled already starts nothing") {
  in_fiber([](expect& e) {
    flights s;
    auto gone = with_timeout(background(), 0ms);
    (void)gone.ctx.done().recv();
    bool ran = false;
    const auto run_it = [&] {
      ran = true;
      return 1;
    };
    const auto r = s.call(gone, "key", run_it);
    e(error_of(r) == errc::deadline_exceeded);
    auto bound = spawn([&] {
      while (!this_fiber::context().err()) shield([] { this_fiber::yield(); });
      (void)s.call("key", run_it);
    });
    bound.cancel();
    e.throws<canceled>([&] { bound.join(); });
    test::settle();
    e(!ran);
  });
}

TEST_CASE("singleflight: the flight has the values of the context that started it, not its cancellation") {
  in_fiber([](expect& e) {
    flights s;
    const chan<void> started, go_on;
    auto [ctx, cancel] = with_cancel(with_value<request_name>(background(), "first"));
    const context& given = ctx;
    auto one = spawn([&] {
      return s.call(given, "key", [&] {
        started.send();
        (void)go_on.recv();
        const std::string* name = this_fiber::context().value<request_name>();
        e(name != nullptr && *name == "first");
        e(!this_fiber::context().err());
        return 1;
      });
    });
    (void)started.recv();
    auto two = spawn([&] { return s.call("key", [] { return 2; }); });
    await_callers(2);
    cancel();
    const auto left = one.join();
    e(!left.has_value());
    go_on.send();
    e.equal(two.join().value, 1);
  });
}

TEST_CASE("singleflight: after forget the next call flies on its own") {
  in_fiber([](expect& e) {
    flights s;
    const chan<void> started, go_on;
    auto old = spawn([&] {
      return s.call("key", [&] {
        started.send();
        (void)go_on.recv();
        return 1;
      });
    });
    (void)started.recv();
    s.forget("key");
    e.equal(s.call("key", [] { return 2; }).value, 2);
    go_on.send();
    e.equal(old.join().value, 1);
    s.forget("never seen");
  });
}

TEST_CASE("singleflight: a forgotten flight that ends leaves the newer one of its key alone") {
  in_fiber([](expect& e) {
    flights s;
    const chan<void> started, end_first, end_second;
    const auto fly = [&](int value, const chan<void>& end) {
      return spawn([&s, &started, end, value] {
        return s.call("key", [=] {
          started.send();
          (void)end.recv();
          return value;
        });
      });
    };
    auto first = fly(1, end_first);
    (void)started.recv();
    s.forget("key");
    auto second = fly(2, end_second);
    (void)started.recv();
    end_first.send();
    e.equal(first.join().value, 1);
    auto third = fly(3, end_second);
    await_callers(2);
    end_second.send();
    e.equal(second.join().value, 2);
    e.equal(third.join().value, 2);
  });
}

TEST_CASE("singleflight: a flight that ends by canceled ends so for all") {
  in_fiber([](expect& e) {
    flights s;
    const chan<void> go_on;
    const auto leave = [&]() -> int {
      (void)go_on.recv();
      throw canceled(errc::canceled, nullptr);
    };
    auto one = spawn([&] { return s.call("key", leave); });
    auto two = spawn([&] { return s.call(background(), "key", leave); });
    await_callers(2);
    go_on.send();
    e.throws<canceled>([&] { (void)one.join(); });
    const auto told = two.join();
    e(error_of(told) == errc::canceled);
  });
}

TEST_CASE("singleflight: its result may be one case of a select, by a task") {
  in_fiber([](expect& e) {
    flights s;
    const chan<void> never;
    auto call = spawn([&] { return s.call("key", [] { return 4; }); });
    e.equal(select(never, call.done()), 1);
    e.equal(call.join().value, 4);
  });
}

TEST_CASE("singleflight: its destructor waits for a flight that all have left") {
  in_fiber([](expect& e) {
    test::tally captured;
    bool ended = false;
    {
      flights s;
      const chan<void> started;
      auto t = spawn([&] {
        return s.call("key", [&ended, started, c = std::make_shared<test::counted>(captured)] {
          const defer told([&] {
            this_fiber::yield();
            ended = true;
          });
          started.send();
          this_fiber::sleep_for(1h);
          return c->value();
        });
      });
      (void)started.recv();
      await_callers(1);
      t.cancel();
      e.throws<canceled>([&] { (void)t.join(); });
    }
    e(ended);
    e.equal(captured.alive(), 0L);
  });
}

TEST_CASE("singleflight: threads may call") {
  in_fiber([](expect& e) {
    flights s;
    const chan<void> go_on;
    const auto call = [&] {
      const auto got = s.call("key", [&] {
        (void)go_on.recv();
        return 3;
      });
      e.equal(got.value, 3);
    };
    test::foreign thread(call);
    auto fiber = spawn(call);
    await_callers(1);
    go_on.close();
    fiber.join();
    thread.join();
  });
}

TEST_CASE("singleflight: without a runtime, the call throws and leaves nothing behind") {
  flights s;
  CHECK_THROWS_AS((void)s.call("key", [] { return 1; }), std::logic_error);
  expect e;
  run([&] { e.equal(s.call("key", [] { return 2; }).value, 2); });
  e.report();
}
