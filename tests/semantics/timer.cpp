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
    for (int i = 1; i <= 5; ++i) {
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
