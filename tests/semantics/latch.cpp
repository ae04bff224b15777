// examples/latch: a primitive made of waiter and spin_lock alone does what weft's own do.
#include "examples/latch/latch.hpp"

#include <memory>
#include <optional>
#include <stdexcept>

#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using example::latch;
using test::await_waiting;
using test::expect;
using test::in_fiber;

TEST_CASE("latch: opens at zero, not before, for all who wait and for good") {
  in_fiber({1, 2, 4}, [](expect& e) {
    constexpr int k_waiters = 300;
    latch gate(3);
    int written = 0;
    std::atomic<int> passed{0}, seen{0};
    wait_group all;
    for (int i = 0; i < k_waiters; ++i)
      all.go([&, i] {
        if (i % 2 == 0)
          gate.wait();
        else if (!gate.wait(background()))
          return;
        seen += written;  // ordered by the latch: no atomic
        ++passed;
      });
    await_waiting("waiter", k_waiters);
    gate.count_down(2);
    gate.count_down(0);
    e(!gate.is_open());
    test::settle();
    e.equal(passed.load(), 0);
    await_waiting("waiter", k_waiters);
    written = 1;
    gate.count_down();
    all.wait();
    e.equal(passed.load(), k_waiters);
    e.equal(seen.load(), k_waiters);
    e(gate.is_open());
    gate.wait();
    e(gate.wait(background()).has_value());
    latch open(0);
    open.wait();
  });
}

TEST_CASE("latch: a cancel takes one waiter out, wherever it stands, and the others go on waiting") {
  in_fiber([](expect& e) {
    latch gate(1);
    std::vector<task<void>> all;
    for (int i = 0; i < 5; ++i) {
      all.push_back(spawn([&] { gate.wait(); }));
      await_waiting("waiter", i + 1);
    }
    auto given = with_cancel(background());
    task<std::error_code> other = spawn([&] { return error_of(gate.wait(given)); });
    await_waiting("waiter", 6);
    for (const std::size_t i : {0, 2, 4}) {  // the first, one in between, one before the last
      all[i].cancel();
      e.throws<canceled>([&] { all[i].join(); });
    }
    given.cancel();
    e(other.join() == errc::canceled);
    await_waiting("waiter", 2);
    gate.count_down();
    all[1].join();
    all[3].join();
  });
}

TEST_CASE("latch: is a cancellation point, open or not") {
  in_fiber([](expect& e) {
    for (const int count : {0, 1}) {
      latch gate(count);
      auto [ctx, cancel] = with_cancel(background());
      cancel();
      e(error_of(gate.wait(ctx)) == errc::canceled);
      e.throws<canceled>([&] {
        const bind_scope bound(ctx);
        gate.wait();
      });
    }
    latch gate(1);
    auto soon = with_timeout(background(), 1ms);
    e(error_of(gate.wait(soon)) == errc::deadline_exceeded);
    gate.count_down();
  });
}

TEST_CASE("latch: threads that run no fiber wait and count down") {
  in_fiber([](expect& e) {
    latch gate(3), passed(3);
    std::optional<std::error_code> late;
    {
      test::foreign first([&] {
        gate.count_down();
        gate.wait();
        passed.count_down();
      });
      test::foreign second([&] {
        gate.count_down();
        e(gate.wait(background()).has_value());
        passed.count_down();
      });
      test::foreign third([&] {
        auto soon = with_timeout(background(), 1ms);
        late = error_of(passed.wait(soon));
      });
      third.join();
      e(late == make_error_code(errc::deadline_exceeded));
      e(!passed.is_open());
      gate.count_down();
      gate.wait();
      passed.count_down();
      passed.wait();
    }
    e(gate.is_open());
  });
}

TEST_CASE("latch: misuse throws and changes nothing") {
  in_fiber({1}, [](expect& e) {
    e.throws<std::logic_error>([] { latch gate(-1); });
    latch gate(2);
    e.throws<std::logic_error>([&] { gate.count_down(3); });
    e.throws<std::logic_error>([&] { gate.count_down(-1); });
    gate.count_down(2);
    e.throws<std::logic_error>([&] { gate.count_down(); });
    gate.wait();
  });
}

TEST_CASE("latch: the last to come out may destroy it") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const long rounds = test::scale(2000);
    for (long i = 0; i < rounds; ++i) {
      auto gate = std::make_unique<latch>(2);
      wait_group both;
      for (int k = 0; k < 2; ++k) both.go([raw = gate.get()] { raw->count_down(); });
      gate->wait();
      gate.reset();
      both.wait();
    }
    e(true);
  });
}

TEST_CASE("latch: the opening races cancels; everybody comes out, as one or the other") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const long rounds = test::scale(400);
    constexpr int k_waiters = 6;
    long opened = 0, ended = 0;
    for (long i = 0; i < rounds; ++i) {
      latch gate(1);
      auto scope = with_cancel(background());
      std::atomic<int> through{0}, out{0};
      wait_group all;
      for (int k = 0; k < k_waiters; ++k)
        all.go([&] {
          if (const auto r = gate.wait(scope))
            ++through;
          else if (r.error() == errc::canceled)
            ++out;
        });
      if (i % 2 == 0) await_waiting("waiter", k_waiters);
      all.go([&] { scope.cancel(); });
      gate.count_down();
      all.wait();
      e.equal(through + out, k_waiters);
      e(gate.is_open());
      opened += through;
      ended += out;
    }
    e.equal(opened + ended, rounds * k_waiters);
  });
}
