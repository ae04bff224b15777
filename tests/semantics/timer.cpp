// timer, ticker and after_func(d, f): Go 1.23's rules.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("timer: fires once, not early") {
  in_fiber([](expect& e) {
    const auto begin = clock::now();
    const timer t(5ms);
    const auto at = t.recv();
    e(at && *at >= begin + 5ms);
    e(clock::now() >= begin + 5ms);
    e(error_of(t.try_recv()) == errc::would_block);
    e(!t.stop());
  });
}

TEST_CASE("timer: stopped in time it never fires") {
  in_fiber([](expect& e) {
    const timer t(1h);
    e(t.stop());
    e(!t.stop());
    const timer soon(20ms);
    if (soon.stop()) e.equal(select(soon, after(40ms)), 1);
  });
}

TEST_CASE("timer: after stop or reset there is no stale tick") {
  in_fiber([](expect& e) {
    const timer t(1ms);
    this_fiber::sleep_for(5ms);  // it has fired, nobody received
    (void)t.stop();
    e(error_of(t.try_recv()) == errc::would_block);
    const timer u(1ms);
    this_fiber::sleep_for(5ms);
    const auto begin = clock::now();
    (void)u.reset(5ms);
    const auto at = u.recv();
    e(at && *at >= begin + 5ms);
    e(error_of(u.try_recv()) == errc::would_block);
  });
}

TEST_CASE("timer: reset of a running one moves it, of a stopped one starts it") {
  in_fiber([](expect& e) {
    const timer t(1h);
    const auto begin = clock::now();
    e(t.reset(2ms));
    e(t.recv().has_value());
    e(clock::now() - begin < 1h);
    e(!t.reset(1h));
    e(t.stop());
    e(!t.reset(1ms));
    e(t.recv().has_value());
  });
}

TEST_CASE("timer: its destructor stops it, a moved-to one goes on") {
  in_fiber([](expect& e) {
    recv_chan<clock::time_point> view;
    {
      const timer t(2ms);
      view = t;
      (void)t.stop();
    }
    this_fiber::sleep_for(5ms);
    e(error_of(view.try_recv()) == errc::would_block);
    timer first(2ms);
    const timer second = std::move(first);
    e(second.recv().has_value());
  });
}

TEST_CASE("timer: released it fires without its handle") {
  in_fiber([](expect& e) {
    recv_chan<clock::time_point> view;
    {
      timer t(2ms);
      view = t;
      t.release();
    }
    e(view.recv().has_value());
  });
}

TEST_CASE("ticker: ticks again and again, none early") {
  in_fiber([](expect& e) {
    const auto begin = clock::now();
    const ticker t(2ms);
    for (int i = 1; i <= 50; ++i) {
      const auto at = t.recv();
      e(at && *at >= begin + i * 2ms);
    }
  });
}

TEST_CASE("ticker: drops what nobody receives") {
  in_fiber([](expect& e) {
    const ticker t(2ms);
    this_fiber::sleep_for(100ms);
    const auto begin = clock::now();
    long ready = 0;
    while (t.try_recv()) ++ready;
    const long since = static_cast<long>((clock::now() - begin) / 2ms);
    e(ready <= 2 + since);  // fifty without dropping
  });
}

TEST_CASE("ticker: after stop no tick comes, reset sets a new period") {
  in_fiber([](expect& e) {
    const ticker t(1ms);
    e(t.recv().has_value());
    t.stop();
    e(error_of(t.try_recv()) == errc::would_block);
    e.equal(select(t, after(10ms)), 1);
    const auto begin = clock::now();
    t.reset(5ms);
    const auto at = t.recv();
    e(at && *at >= begin + 5ms);
  });
}

TEST_CASE("ticker: a period that is not positive is refused") {
  in_fiber([](expect& e) {
    e.throws<std::logic_error>([] { const ticker t(0ms); });
    e.throws<std::logic_error>([] { const ticker t(-1ms); });
  });
}

TEST_CASE("after_func(d): runs f in a fiber of its own when it is due") {
  in_fiber([](expect& e) {
    const auto begin = clock::now();
    const chan<fiber_id> ran;
    const timer t = after_func(2ms, [ran] { ran.send(this_fiber::id()); });
    e(ran.recv() != this_fiber::id());
    e(clock::now() >= begin + 2ms);
    e(!t.stop());
  });
}

TEST_CASE("after_func(d): stopped or destroyed in time it does not run, reset it runs again") {
  in_fiber([](expect& e) {
    std::atomic<int> ran{0};
    {
      const timer dropped = after_func(1h, [&] { ++ran; });
    }
    const timer stopped = after_func(1h, [&] { ++ran; });
    e(stopped.stop());
    e.equal(ran.load(), 0);
    const chan<void> c;
    const timer again = after_func(1ms, [c] { c.send(); });
    e(c.recv());
    (void)again.reset(1ms);
    e(c.recv());
  });
}

TEST_CASE("timer: its channel looks unbuffered, fired or not") {
  in_fiber([](expect& e) {
    const timer t(0ms);
    const ticker k(1h);
    for (const recv_chan<clock::time_point>& c : {recv_chan<clock::time_point>(t), recv_chan<clock::time_point>(k)}) {
      e.equal(c.len(), 0u);
      e.equal(c.cap(), 0u);
    }
    while (!t.try_recv()) this_fiber::yield();
    (void)t.reset(0ms);
    this_fiber::sleep_for(2ms);  // it has most likely fired; the length does not tell
    e.equal(t.len(), 0u);
  });
}

TEST_CASE("timer: of no time, of a negative time, and of a very long one") {
  in_fiber([](expect& e) {
    for (int i = 0; i < 500; ++i) e(timer(0ms).recv().has_value());
    const timer past(std::chrono::hours::min()), never(std::chrono::hours::max());
    e.equal(select(never, past), 1);
    e(never.stop());
    e(!never.reset(std::chrono::hours::max()));
    e(never.stop());
  });
}

TEST_CASE("timer: a value that nobody has received counts as pending for stop and reset") {
  in_fiber([](expect& e) {
    const timer t(0ms), u(0ms), fired(0ms);
    // They are due at once; when this one's is there, theirs are due too, fired or not.
    e(fired.recv().has_value());
    e(t.stop());
    e(!t.stop());
    e(u.reset(1h));
    e(u.stop());
    e(!fired.stop());
  });
}

TEST_CASE("timer: a moved-from one has nothing to stop") {
  in_fiber([](expect& e) {
    timer t(1h);
    const timer moved = std::move(t);
    e(!t.stop());  // NOLINT(bugprone-use-after-move): that is the point
    e(!t.reset(1ms));
    e(moved.stop());
  });
}

TEST_CASE("ticker: reset to a period that is not positive is refused, and the old one goes on") {
  in_fiber([](expect& e) {
    const ticker t(1ms);
    e.throws<std::logic_error>([&] { t.reset(0ms); });
    e.throws<std::logic_error>([&] { t.reset(-1h); });
    e(t.recv().has_value());
    e(t.recv().has_value());
  });
}

TEST_CASE("ticker: stop does not close its channel") {
  in_fiber([](expect& e) {
    const ticker t(1ms);
    auto receiving = spawn([&] {
      while (t.recv()) {
      }
      return true;
    });
    t.stop();
    e.equal(select(receiving.done(), after(5ms)), 1);
    e(error_of(t.try_recv()) == errc::would_block);
    receiving.cancel();
    e.throws<canceled>([&] { receiving.join(); });
  });
}

TEST_CASE("after_func(d): stop does not wait for a running f, nor does reset") {
  in_fiber([](expect& e) {
    const chan<void> started, go_on;
    const timer t = after_func(0ms, [=] {
      started.send();
      go_on.recv();
    });
    started.recv();
    e(!t.stop());
    e(!t.reset(0ms));
    started.recv();  // the second run has begun before the first has ended
    go_on.send();
    go_on.send();
  });
}

TEST_CASE("after_func(d): f may start the next one, and reset its own timer") {
  in_fiber([](expect& e) {
    struct chain {
      chan<void> over;
      int left = 10;
      void operator()() {
        if (left-- == 0) return over.send();
        after_func(0ms, *this).release();
      }
    };
    const chain first{chan<void>()};
    after_func(0ms, chain(first)).release();
    e(first.over.recv());

    const chan<int> ran{1};
    std::atomic<int> runs{0};
    std::optional<timer> own;
    const chan<void> set;
    own.emplace(after_func(0ms, [&] {
      (void)set.recv();  // until it has a name
      if (++runs < 5)
        (void)own->reset(0ms);
      else
        ran.send(runs);
    }));
    set.close();
    e.equal(ran.recv(), std::optional(5));
  });
}

TEST_CASE("after_func(d): its channel is nil") {
  in_fiber([](expect& e) {
    const timer t = after_func(0ms, [] {});
    e(!t);
    e.equal(select(t, otherwise()), 1);
  });
}

TEST_CASE("timer: it may be stopped when its run is over, and in another run with fewer processors") {
  std::vector<timer> between, later;
  run(test::on(4), [&] {
    wait_group all;
    mutex m;
    for (int i = 0; i < 40; ++i)
      all.go([&] {
        for (int n = 0; n < 10; ++n) this_fiber::yield();
        const std::lock_guard hold(m);
        between.emplace_back(1h);
        later.emplace_back(1h);
      });
    all.wait();
  });
  for (const timer& t : between) CHECK(t.stop());
  expect e;
  run(test::on(1), [&] {
    for (const timer& t : later) e(t.stop());
  });
  e.report();
}

TEST_CASE("timer: those that come and go while no runtime runs leave nothing behind") {
  constexpr std::size_t k_kept = 1 << 20, k_each = 3;  // an eighth of what a heap needs for a timer
  const long count = test::scale(1'000'000);
  const auto some = [count] {
    bool stopped = true;
    for (long i = 0; i < count; ++i) stopped &= timer(1h).stop();
    CHECK(stopped);
  };
  some();
  const bool told = test::give_back_freed();  // AddressSanitizer keeps what was freed
  const std::size_t allocated = test::allocated_bytes(), resident = test::resident_bytes();
  some();
  CHECK(test::allocated_bytes() < allocated + k_kept);
  test::give_back_freed();
  if (told) CHECK(test::resident_bytes() < resident + k_kept + k_each * static_cast<std::size_t>(count));
}
