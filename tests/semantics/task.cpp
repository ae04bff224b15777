// spawn and task.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("task: join gives what the function returned") {
  in_fiber([](expect& e) {
    e.equal(spawn([] { return 42; }).join(), 42);
    auto p = spawn([] { return std::make_unique<int>(7); });
    e.equal(*p.join(), 7);
    int ran = 0;
    spawn([&] { ++ran; }).join();
    e.equal(ran, 1);
    int lvalue = 0;
    auto reference = spawn([&]() -> int& { return lvalue; });
    e(&reference.join() == &lvalue);
  });
}

TEST_CASE("task: join rethrows what came out of the function") {
  in_fiber([](expect& e) {
    auto t = spawn([]() -> int { throw std::runtime_error("out"); });
    e.throws<std::runtime_error>([&] { t.join(); });
    auto odd = spawn([] { throw 5; });
    e.throws<int>([&] { odd.join(); });
  });
}

TEST_CASE("task: join with a context gives a result, and a thrown exception is still thrown") {
  in_fiber([](expect& e) {
    auto plain = spawn([] { return 1; });
    const result<int> one = plain.join(background());
    e.equal(one.value(), 1);
    auto nothing = spawn([] {});
    const result<void> none = nothing.join(background());
    e(none.has_value());
    auto thrower = spawn([]() -> int { throw std::runtime_error("out"); });
    e.throws<std::runtime_error>([&] { (void)thrower.join(background()); });
  });
}

TEST_CASE("task: a result is not wrapped twice") {
  in_fiber([](expect& e) {
    auto good = spawn([]() -> result<int> { return 3; });
    const result<int> three = good.join(background());
    e.equal(three.value(), 3);
    auto bad = spawn([]() -> result<int> { return std::unexpected(make_error_code(std::errc::io_error)); });
    const result<int> failed = bad.join(background());
    e(error_of(failed) == std::errc::io_error);
    auto direct = spawn([]() -> result<int> { return 4; });
    e.equal(direct.join().value(), 4);
  });
}

TEST_CASE("task: a join given up by its context leaves the task running, and it can be joined again") {
  in_fiber([](expect& e) {
    const chan<int> c;
    auto t = spawn([c] { return *c.recv(); });
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    e(error_of(t.join(ctx)) == errc::deadline_exceeded);
    c.send(6);
    e.equal(t.join(), 6);
  });
}

TEST_CASE("task: done closes when the fiber has ended") {
  in_fiber([](expect& e) {
    const chan<void> end;
    auto t = spawn([end] { end.recv(); });
    e(error_of(t.done().try_recv()) == errc::would_block);
    end.close();
    e(!t.done().recv());
    e(error_of(t.done().try_recv()) == errc::closed);
    t.join();
  });
}

TEST_CASE("task: cancel throws at its fiber, also when it was spawned unbound") {
  in_fiber([](expect& e) {
    auto t = spawn([] { this_fiber::sleep_for(1h); });
    t.cancel();
    t.cancel();
    e.throws<canceled>([&] { t.join(); });
    auto polite = spawn([] {
      try {
        this_fiber::sleep_for(1h);
      } catch (const canceled&) {
        return 1;
      }
      return 0;
    });
    polite.cancel();
    e.equal(polite.join(), 1);
  });
}

TEST_CASE("task: cancel touches neither the context it was bound to nor its siblings") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<void> end;
    auto one = spawn(ctx, [end] { end.recv(); });
    auto two = spawn(ctx, [end] { end.recv(); });
    one.cancel();
    e.throws<canceled>([&] { one.join(); });
    e(!ctx.err());
    end.close();
    two.join();
  });
}

TEST_CASE("task: the destructor cancels and joins") {
  in_fiber([](expect& e) {
    test::tally inside;
    bool reached = false;
    {
      auto t = spawn([&] {
        const test::counted here(inside);
        this_fiber::sleep_for(1h);
        reached = true;
      });
      test::settle();
    }
    e.equal(inside.alive(), 0);
    e(!reached);
  });
}

TEST_CASE("task: assigning to one cancels and joins what it had") {
  in_fiber([](expect& e) {
    test::tally inside;
    const auto sleeper = [&] {
      const test::counted here(inside);
      this_fiber::sleep_for(1h);
    };
    task<void> t = spawn(sleeper);
    test::settle();
    const chan<void> end;
    t = spawn([end] { end.recv(); });
    e.equal(inside.alive(), 0);
    end.close();
    t.join();
    const task<void> empty;
    task<void> moved = std::move(t);
  });
}

TEST_CASE("task: after detach its fiber goes on alone") {
  in_fiber([](expect& e) {
    const chan<int> in, out;
    {
      auto t = spawn([in, out] { out.send(*in.recv() + 1); });
      t.detach();
    }
    in.send(1);
    e.equal(out.recv(), std::optional(2));
  });
}

TEST_CASE("task: a tree of tasks computes") {
  struct tree {
    static int fib(int n) {
      if (n < 2) return n;
      auto left = spawn([n] { return fib(n - 1); });
      const int right = fib(n - 2);
      return left.join() + right;
    }
  };
  in_fiber({1, 2, 4, 8}, [](expect& e) { e.equal(tree::fib(15), 610); });
}

TEST_CASE("task: arguments are taken by value, once, and destroyed with the fiber") {
  in_fiber([](expect& e) {
    test::tally values;
    {
      auto t = spawn([held = test::counted(values, 8)] { return held.value(); });
      e.equal(t.join(), 8);
    }
    e.equal(values.alive(), 0);
    e.equal(values.made, 1);
  });
}

namespace {
struct lucky_number {
  using type = int;
};
}  // namespace

// Whether it is over when join() returns, tests/explore/contexts.cpp asks: here the joiner is nearly always the last.
TEST_CASE("task: whoever kept something of its context hears of the end, also after a join") {
  in_fiber([](expect& e) {
    for (long i = test::scale(500); i > 0; --i) {
      recv_chan<void> done;
      std::stop_token token;
      context kept, below;
      spawn([&] { done = this_fiber::context().done(); }).join();
      e(done.try_recv().error() == errc::closed);
      spawn([&] { token = this_fiber::context().stop_token(); }).join();
      e(token.stop_requested());
      spawn([&] { kept = this_fiber::context(); }).join();
      e(kept.err() == errc::canceled);
      spawn([&] { below = with_value<lucky_number>(this_fiber::context(), 1); }).join();
      e(below.err() == errc::canceled);
    }
  });
}

TEST_CASE("task: the context of one that was let go of does not end with it") {
  in_fiber([](expect& e) {
    chan<context> out{1};
    auto t = spawn([=] { out.send(this_fiber::context()); });
    const context kept = *out.recv();
    t.done().recv();
    t.detach();
    e(!kept.err());
  });
}
