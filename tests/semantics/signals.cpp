// signals: Go's os/signal. raise() runs the handler before it returns, so what a test raises has arrived.
#include <csignal>
#include <cstring>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

std::atomic<int> heard_earlier{0};

// A handler of the program's own, from before.
class earlier_handler {
 public:
  explicit earlier_handler(int signal) : signal_(signal) {
    heard_earlier = 0;
    struct sigaction action{};
    action.sa_handler = [](int) { ++heard_earlier; };
    action.sa_flags = SA_ONSTACK;
    sigaction(signal_, &action, &before_);
  }
  ~earlier_handler() { sigaction(signal_, &before_, nullptr); }
  earlier_handler(const earlier_handler&) = delete;
  earlier_handler& operator=(const earlier_handler&) = delete;

 private:
  int signal_;
  struct sigaction before_{};
};

}  // namespace

TEST_CASE("signals: notify sends the number; after stop the earlier handler is back") {
  const earlier_handler one(SIGUSR1);
  in_fiber([](expect& e) {
    heard_earlier = 0;
    const chan<int> c{1};
    signals::notify(c, {SIGUSR1});
    raise(SIGUSR1);
    e(c.recv() == SIGUSR1);
    e.equal(heard_earlier.load(), 0);
    signals::stop(c);
    raise(SIGUSR1);
    e.equal(heard_earlier.load(), 1);
    e.equal(c.len(), 0u);
    signals::stop(c);  // again: nothing
  });
}

TEST_CASE("signals: what arrived before stop is in the channel when stop returns") {
  const earlier_handler one(SIGUSR1);
  in_fiber([](expect& e) {
    heard_earlier = 0;
    for (int i = 0; i < 100; ++i) {
      const chan<int> c{1};
      signals::notify(c, {SIGUSR1});
      raise(SIGUSR1);
      signals::stop(c);
      e(c.try_recv() == SIGUSR1);
    }
    e.equal(heard_earlier.load(), 0);
  });
}

TEST_CASE("signals: dropped when the channel is full, or nobody receives") {
  in_fiber([](expect& e) {
    const chan<int> full{1}, nobody, witness{8};
    full.send(-1);
    for (const auto& c : {full, nobody, witness}) signals::notify(c, {SIGUSR1});
    raise(SIGUSR1);
    e(witness.recv() == SIGUSR1);
    for (const auto& c : {full, nobody, witness}) signals::stop(c);
    e(full.recv() == -1);
    e.equal(full.len(), 0u);
  });
}

TEST_CASE("signals: every channel gets those that it asked for; asking again adds") {
  const earlier_handler one(SIGUSR1), two(SIGUSR2);
  in_fiber([](expect& e) {
    const chan<int> a{4}, b{4};
    signals::notify(a, {SIGUSR1});
    signals::notify(b, {SIGUSR2});
    signals::notify(b, {SIGUSR1, SIGUSR1, SIGUSR2});
    raise(SIGUSR1);
    e(a.recv() == SIGUSR1);
    e(b.recv() == SIGUSR1);
    raise(SIGUSR2);
    e(b.recv() == SIGUSR2);
    signals::stop(b);
    e.equal(a.len(), 0u);
    raise(SIGUSR1);
    e(a.recv() == SIGUSR1);
    e.equal(b.len(), 0u);
    signals::stop(a);
  });
}

// Not under an emulator, known by its own thread: it keeps some of the real-time signals to itself.
TEST_CASE("signals: an empty list is all of them, but those that weft and the processor raise" *
          doctest::skip(test::count_threads() > 1)) {
  in_fiber([](expect& e) {
    const chan<int> c{16};
    signals::notify(c, {});
    for (const int s : {SIGUSR1, SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGPIPE, SIGRTMIN, SIGRTMAX}) {
      raise(s);
      e(c.recv() == s);
    }
    signals::stop(c);
  });
}

TEST_CASE("signals: misuse throws and says what") {
  in_fiber([](expect& e) {
    const chan<int> c{1};
    for (const int s : {0, -1, 65, 1000, 32, SIGKILL, SIGSTOP, SIGSEGV, SIGFPE, SIGURG}) {
      e.throws<std::logic_error>([&] { signals::notify(c, {s}); });
      e.throws<std::logic_error>([&] { static_cast<void>(signals::notify_context(background(), {s})); });
    }
    e.throws<std::logic_error>([&] { signals::notify(nullptr, {SIGUSR1}); });
  });
}

TEST_CASE("signals: a closed channel, and one whose handles are gone, do no harm") {
  in_fiber([](expect& e) {
    const chan<int> closed{1}, witness{1};
    signals::notify(closed, {SIGWINCH});
    signals::notify(chan<int>{4}, {SIGWINCH});  // for ever
    signals::notify(witness, {SIGWINCH});
    closed.close();
    raise(SIGWINCH);
    e(witness.recv() == SIGWINCH);
    signals::stop(closed);
    signals::stop(witness);
  });
}

TEST_CASE("signals: a handler that was put in place meanwhile is left alone") {
  const earlier_handler one(SIGUSR2);
  in_fiber([](expect& e) {
    const chan<int> c{1};
    signals::notify(c, {SIGUSR2});
    {
      const earlier_handler newer(SIGUSR2);
      signals::stop(c);
      raise(SIGUSR2);
      e.equal(heard_earlier.load(), 1);
    }
  });
}

TEST_CASE("signals: notify takes a signal over from a handler that was put in place since") {
  in_fiber([](expect& e) {
    const chan<int> a{1}, b{1};
    signals::notify(a, {SIGUSR2});
    {
      const earlier_handler newer(SIGUSR2);
      signals::notify(b, {SIGUSR2});
      raise(SIGUSR2);
      e(a.recv() == SIGUSR2);
      e(b.recv() == SIGUSR2);
      signals::stop(a);
      signals::stop(b);
      raise(SIGUSR2);
      e.equal(heard_earlier.load(), 1);
    }
  });
}

TEST_CASE("signals: notify_context is cancelled by the signal, and the cause names it") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = signals::notify_context(background(), {SIGUSR1, SIGUSR2});
    auto t = spawn(ctx, [] { this_fiber::sleep_for(1h); });
    test::settle();
    e(!ctx.err());
    raise(SIGUSR2);
    ctx.done().recv();
    e(ctx.err() == errc::canceled);
    e.throws<canceled>([&] { t.join(); });
    std::string text;
    try {
      std::rethrow_exception(ctx.cause());
    } catch (const std::system_error& error) {
      text = error.what();
      e(error.code() == errc::canceled);
    }
    e(text.find(strsignal(SIGUSR2)) != std::string::npos);
  });
}

TEST_CASE("signals: notify_context keeps the signals until cancel, the end of its pair, or the parent's cancel") {
  const earlier_handler one(SIGUSR1);
  in_fiber([](expect& e) {
    const auto heard = [] {
      heard_earlier = 0;
      raise(SIGUSR1);
      return heard_earlier.load();
    };
    {
      auto scope = signals::notify_context(background(), {SIGUSR1});
      e.equal(heard(), 0);
      scope.ctx.done().recv();
      e.equal(heard(), 0);  // a second one
      scope.cancel();
      e.equal(heard(), 1);
    }
    {
      auto scope = signals::notify_context(background(), {SIGUSR1});
      e.equal(heard(), 0);
    }
    e.equal(heard(), 1);
    auto parent = with_cancel(background());
    auto below = signals::notify_context(parent, {SIGUSR1});
    e.equal(heard(), 0);
    parent.cancel();
    e(below.ctx.err() == errc::canceled);
    e.equal(heard(), 1);
    auto late = signals::notify_context(parent, {SIGUSR1});
    e(late.ctx.err() == errc::canceled);
    e.equal(heard(), 1);
  });
}

TEST_CASE("signals: a parent's deadline ends notify_context") {
  const earlier_handler one(SIGUSR1);
  in_fiber([](expect& e) {
    auto parent = with_timeout(background(), 2ms);
    auto [ctx, cancel] = signals::notify_context(parent, {SIGUSR1});
    ctx.done().recv();
    e(ctx.err() == errc::deadline_exceeded);
  });
}

TEST_CASE("signals: a registration outlives runs, and works without one") {
  const earlier_handler one(SIGUSR1);
  const chan<int> c{1};
  signals::notify(c, {SIGUSR1});
  for (int i = 0; i < 3; ++i) {
    raise(SIGUSR1);
    CHECK(c.recv() == SIGUSR1);
    const int got = run(test::on(2), [&] {
      raise(SIGUSR1);
      return c.recv().value_or(0);
    });
    CHECK(got == SIGUSR1);
  }
  signals::stop(c);
  auto scope = signals::notify_context(without_cancel(background()), {SIGUSR1});
  raise(SIGUSR1);
  scope.ctx.done().recv();
  CHECK(scope.ctx.err() == errc::canceled);
  CHECK(heard_earlier == 0);
}

TEST_CASE("signals: one that a foreign thread gets wakes a parked fiber") {
  in_fiber([](expect& e) {
    const chan<int> c{1};
    signals::notify(c, {SIGUSR1});
    for (int i = 0; i < 10; ++i) {
      test::foreign sender([] { raise(SIGUSR1); });
      e(c.recv() == SIGUSR1);
    }
    signals::stop(c);
  });
}

// The handler finds the runtime open and rings the poller, whom nobody asks any more: the end of the run has to.
TEST_CASE("signals: none is lost that arrives while a run begins or ends") {
  const chan<int> c{1};
  signals::notify(c, {SIGUSR1});
  std::atomic<int> round{0};
  std::atomic<int> sent{0};
  {
    const test::foreign sender([&] {
      for (int i = 1; i <= 500; ++i) {
        while (round.load() < i) std::this_thread::yield();
        for (int spin = 0; spin < i * 97 % 2000; ++spin) static_cast<void>(round.load());
        raise(SIGUSR1);
        sent = i;
      }
    });
    for (int i = 1; i <= 500; ++i) {
      run(test::on(1 + static_cast<unsigned>(i) % 2), [&] {
        if (i % 3 != 0) round = i;
      });
      round = i;
      REQUIRE(c.recv() == SIGUSR1);
      while (sent.load() < i) std::this_thread::yield();
    }
  }
  signals::stop(c);
}

// While a processor is idle: with all of them busy the thread may be first, so this asks until it is the fiber.
TEST_CASE("signals: a fiber of the runtime's own delivers to a runtime that is idle") {
  in_fiber([](expect& e) {
    const fiber_id receiver = this_fiber::id();
    const auto on_fiber = [&] {
      try {
        e(this_fiber::id() != receiver);
        return true;
      } catch (const std::logic_error&) {  // a thread
        return false;
      }
    };
    for (bool by_fiber = false; !by_fiber;) {
      auto [ctx, cancel] = signals::notify_context(background(), {SIGUSR2});
      const chan<bool> by{1};
      const std::stop_callback told(ctx.stop_token(), [&] { by.try_send(on_fiber()); });
      const test::foreign sender([] { raise(SIGUSR2); });
      by_fiber = by.recv().value();
    }
  });
}
