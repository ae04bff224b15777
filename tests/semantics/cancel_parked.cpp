// Cancellation of a bound fiber that is parked: at every kind of point.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

// Parks a bound fiber in `wait`, cancels its context, and says whether `canceled` came out of the wait.
template <class F>
static bool thrown_out_of(F wait) {
  auto [ctx, cancel] = with_cancel(background());
  bool threw = false;
  auto t = spawn(ctx, [&] {
    try {
      wait();
    } catch (const canceled& c) {
      threw = c.code() == errc::canceled && c.cause() != nullptr;
    }
  });
  test::settle();
  cancel();
  t.join();
  return threw;
}

TEST_CASE("parked, then cancelled: channel operations throw and did not happen") {
  in_fiber([](expect& e) {
    const chan<int> c, full{1};
    const chan<void> v;
    full.send(1);
    e(thrown_out_of([&] { c.recv(); }));
    e(thrown_out_of([&] { c.send(1); }));
    e(thrown_out_of([&] { full.send(2); }));
    e(thrown_out_of([&] { v.recv(); }));
    e(thrown_out_of([&] { v.send(); }));
    e(thrown_out_of([&] {
      for ([[maybe_unused]] const int x : c) e(false);
    }));
    e(thrown_out_of([] { chan<int>(nullptr).recv(); }));
    e.equal(full.len(), 1u);
    e(!c.try_send(1));
    e(error_of(c.try_recv()) == errc::would_block);
  });
}

TEST_CASE("parked, then cancelled: select throws, and no body runs") {
  in_fiber([](expect& e) {
    const chan<int> a, b;
    e(thrown_out_of([&] { select(recv(a, [&] { e(false); }), send(b, 1, [&] { e(false); })); }));
    e(thrown_out_of([&] { select(recv(a), after(1h)); }));
    e(thrown_out_of([] { select(); }));
    e(thrown_out_of([&] {
      std::vector<select_case> cases;
      cases.emplace_back(recv(a));
      select(std::span(cases));
    }));
    e(!a.try_send(1));
    e(error_of(b.try_recv()) == errc::would_block);
  });
}

TEST_CASE("parked, then cancelled: sleeps, timers and tickers throw") {
  in_fiber([](expect& e) {
    const auto begin = clock::now();
    e(thrown_out_of([] { this_fiber::sleep_for(1h); }));
    e(thrown_out_of([] { this_fiber::sleep_until(clock::now() + 1h); }));
    e(thrown_out_of([] { this_fiber::sleep_for(std::chrono::hours::max()); }));
    e(thrown_out_of([] { timer(1h).recv(); }));
    e(thrown_out_of([] { ticker(1h).recv(); }));
    e(thrown_out_of([] { after(1h).recv(); }));
    e(clock::now() - begin < 1h);
  });
}

TEST_CASE("parked, then cancelled: join and wait_group throw") {
  in_fiber([](expect& e) {
    const chan<void> end;
    auto other = spawn([end] { end.recv(); });
    e(thrown_out_of([&] { other.join(); }));
    e(thrown_out_of([&] { other.done().recv(); }));
    wait_group pending;
    pending.add(1);
    e(thrown_out_of([&] { pending.wait(); }));
    pending.done();
    end.close();
  });
}

TEST_CASE("parked, then cancelled: another context's end is waited for no longer") {
  in_fiber([](expect& e) {
    auto unrelated = with_cancel(background());
    e(thrown_out_of([&] { unrelated.ctx.done().recv(); }));
    e(thrown_out_of([&] { select(unrelated.ctx.done()); }));
  });
}

TEST_CASE("parked, then cancelled: an ancestor's cancel reaches the fiber, with the ancestor's cause") {
  in_fiber([](expect& e) {
    auto root = with_cancel_cause(background());
    auto middle = with_timeout(root, 1h);
    auto leaf = with_cancel(middle);
    const auto why = std::make_exception_ptr(std::runtime_error("why"));
    std::exception_ptr heard;
    auto t = spawn(leaf, [&] {
      try {
        this_fiber::sleep_for(1h);
      } catch (const canceled& c) {
        heard = c.cause();
      }
    });
    test::settle();
    root.cancel(why);
    t.join();
    e(heard == why);
  });
}

TEST_CASE("parked, then cancelled: all fibers of a context, wherever they are parked") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<int> c;
    std::atomic<int> thrown{0};
    std::vector<task<void>> all;
    for (int i = 0; i < 300; ++i)
      all.push_back(spawn(ctx, [&, i] {
        try {
          if (i % 3 == 0) c.recv();
          if (i % 3 == 1) this_fiber::sleep_for(1h);
          if (i % 3 == 2) select(recv(c), this_fiber::context().done());
        } catch (const canceled&) {
          ++thrown;
        }
      }));
    test::settle();
    cancel();
    for (auto& t : all) t.join();
    e.equal(thrown.load(), 200);  // a select that lists its own done() does not throw
  });
}

TEST_CASE("a select that lists the bound context's done never throws; that case is ready") {
  in_fiber([](expect& e) {
    const chan<int> c;
    auto [ctx, cancel] = with_cancel(background());
    int taken = -1, again = -1, derived_taken = -1;
    auto t = spawn(ctx, [&, c] {
      const context mine = this_fiber::context();
      taken = select(recv(c), mine.done());
      again = select(recv(c), mine.done());
      auto below = with_cancel(mine);
      derived_taken = select(recv(c), below.ctx.done());
    });
    test::settle();
    cancel();
    t.join();
    e.equal(taken, 1);
    e.equal(again, 1);
    e.equal(derived_taken, 1);
  });
}

TEST_CASE("an unbound fiber is not thrown at, a bound go fiber ends quietly") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<int> c;
    const chan<std::string> said{2};
    test::tally unwound;
    wait_group ended;
    ended.add(2);
    auto outer = spawn(ctx, [&] {
      go([&, c] {  // not bound, though its spawner is
        const defer done([&] { ended.done(); });
        if (c.recv() == 1) said.send("value");
      });
    });
    outer.join();
    go(ctx, [&, c] {
      const defer done([&] { ended.done(); });
      const test::counted here(unwound);
      c.recv();
      said.send("never");
    });
    test::settle();
    cancel();
    while (unwound.destroyed == 0) this_fiber::yield();
    c.send(1);
    ended.wait();
    e.equal(said.recv(), std::optional(std::string("value")));
    e.equal(said.len(), 0u);
  });
}
