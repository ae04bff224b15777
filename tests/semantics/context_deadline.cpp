// context: deadlines.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("deadline: a timeout ends the context, never early, as deadline_exceeded") {
  in_fiber([](expect& e) {
    for (const auto d : {1us, 100us, 1000us, 10'000us}) {
      const auto begin = clock::now();
      auto [ctx, cancel] = with_timeout(background(), d);
      e(ctx.deadline().value() >= begin + d);
      e(!ctx.done().recv());
      e(clock::now() >= begin + d);
      e(clock::now() >= *ctx.deadline());
      e(ctx.err() == errc::deadline_exceeded);
      e(ctx.err() == std::errc::timed_out);
      e(ctx.err() != errc::canceled);
      e(ctx.cause() != nullptr);
    }
  });
}

TEST_CASE("deadline: err is empty before it, also without anybody waiting") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_timeout(background(), 5ms);
    while (!ctx.err()) this_fiber::yield();
    e(clock::now() >= *ctx.deadline());
  });
}

TEST_CASE("deadline: the earlier of parent's and own holds") {
  in_fiber([](expect& e) {
    const auto now = clock::now();
    auto early = with_deadline(background(), now + 1h);
    auto late = with_deadline(early, now + 2h);
    auto earlier = with_deadline(early, now + 30min);
    e(early.ctx.deadline() == now + 1h);
    e(late.ctx.deadline() == now + 1h);
    e(earlier.ctx.deadline() == now + 30min);
    e(with_cancel(earlier).ctx.deadline() == now + 30min);
    auto soon = with_timeout(background(), 2ms);
    auto child = with_timeout(soon, 1h);
    e(!child.ctx.done().recv());
    e(child.ctx.err() == errc::deadline_exceeded);
  });
}

TEST_CASE("deadline: one in the past is over at once") {
  in_fiber([](expect& e) {
    auto past = with_deadline(background(), clock::now() - 1s);
    e(past.ctx.err() == errc::deadline_exceeded);
    e(past.ctx.cause() != nullptr);
    e(!past.ctx.done().recv());
    auto none = with_timeout(background(), 0ms);
    e(none.ctx.err() == errc::deadline_exceeded);
    auto negative = with_timeout(background(), -5h);
    e(negative.ctx.err() == errc::deadline_exceeded);
  });
}

TEST_CASE("deadline: durations saturate") {
  in_fiber([](expect& e) {
    auto forever = with_timeout(background(), std::chrono::hours::max());
    e(!forever.ctx.err());
    e(!forever.ctx.deadline() || *forever.ctx.deadline() > clock::now() + 24h * 365);
    auto never = with_timeout(background(), std::chrono::hours::min());
    e(never.ctx.err() == errc::deadline_exceeded);
    auto last = with_deadline(background(), clock::time_point::max());
    e(!last.ctx.err());
  });
}

// For every new deadline, a turn that lasts has its thread's timer set, and the neighbour's for a little later.
TEST_CASE("deadline: durations saturate, also where every processor computes") {
  in_fiber({2}, [](expect& e) {
    const auto compute = [&] {
      for (const auto until = clock::now() + 50ms; clock::now() < until;) {
        auto last = with_deadline(background(), clock::time_point::max() - 1ns);
        e(!last.ctx.err());
      }
    };
    task other = spawn(compute);
    compute();
    other.join();
  });
}

TEST_CASE("deadline: cancel before it means canceled, and it stays so after it") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    cancel();
    if (ctx.err() == errc::canceled) {  // else the deadline came first
      this_fiber::sleep_until(*ctx.deadline() + 1ms);
      e(ctx.err() == errc::canceled);
    } else {
      e(ctx.err() == errc::deadline_exceeded);
    }
  });
}

TEST_CASE("deadline: its cause can be given, and is not the cause of an earlier cancel") {
  in_fiber([](expect& e) {
    const auto late = std::make_exception_ptr(std::runtime_error("late"));
    auto a = with_timeout_cause(background(), 1ms, late);
    e(!a.ctx.done().recv());
    e(a.ctx.cause() == late);
    e(a.ctx.err() == errc::deadline_exceeded);
    auto b = with_deadline_cause(background(), clock::now() + 1h, late);
    b.cancel();
    e(b.ctx.cause() != late);
    e(b.ctx.cause() != nullptr);
    e(b.ctx.err() == errc::canceled);
  });
}

TEST_CASE("deadline: a wait that was given the context reports deadline_exceeded") {
  in_fiber([](expect& e) {
    const chan<int> c;
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    e(error_of(c.recv(ctx)) == errc::deadline_exceeded);
    e(error_of(c.recv(ctx)) == std::errc::timed_out);
    e(error_of(sleep_for(ctx, 1h)) == errc::deadline_exceeded);
    e.throws<canceled>([&] { unwrap(c.recv(ctx)); });
  });
}

TEST_CASE("deadline: a bound fiber is thrown out with deadline_exceeded") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    auto t = spawn(ctx, [] { this_fiber::sleep_for(1h); });
    std::error_code code;
    try {
      t.join();
    } catch (const canceled& c) {
      code = c.code();
      e(c.cause() != nullptr);
    }
    e(code == errc::deadline_exceeded);
  });
}
