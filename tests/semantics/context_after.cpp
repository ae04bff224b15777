// context: after_func.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("after_func: runs once the context is cancelled, in a fiber of its own") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<fiber_id> ran;
    auto handle = after_func(ctx, [ran] { ran.send(this_fiber::id()); });
    test::settle();
    e(error_of(ran.try_recv()) == errc::would_block);
    cancel();
    e(ran.recv() != this_fiber::id());
    e(!handle());
  });
}

TEST_CASE("after_func: stop keeps it from running and says so once") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    std::atomic<int> ran{0};
    auto handle = after_func(ctx, [&] { ++ran; });
    e(handle());
    e(!handle());
    cancel();
    test::settle();
    e.equal(ran.load(), 0);
  });
}

TEST_CASE("after_func: on a cancelled context it runs at once") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    cancel();
    const chan<void> ran;
    auto handle = after_func(ctx, [ran] { ran.send(); });
    e(ran.recv());
  });
}

TEST_CASE("after_func: the handle's destructor stops it") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    std::atomic<int> ran{0};
    {
      auto handle = after_func(ctx, [&] { ++ran; });
    }
    cancel();
    test::settle();
    e.equal(ran.load(), 0);
  });
}

TEST_CASE("after_func: the handle's destructor waits for one that is running") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<void> started, go_on;
    std::atomic<bool> finished{false};
    {
      auto handle = after_func(ctx, [&, started, go_on] {
        started.send();
        go_on.recv();
        finished = true;
      });
      cancel();
      started.recv();
      go([go_on] { go_on.send(); });
    }
    e(finished.load());
  });
}

TEST_CASE("after_func: released, it runs without its handle") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<void> ran;
    {
      auto handle = after_func(ctx, [ran] { ran.send(); });
      handle.release();
    }
    cancel();
    e(ran.recv());
  });
}

TEST_CASE("after_func: runs unbound, so cancellation does not throw in it") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<bool> ran;
    auto handle = after_func(ctx, [ran] {
      bool threw = false;
      try {
        this_fiber::poll();
        this_fiber::yield();
      } catch (const canceled&) {
        threw = true;
      }
      ran.send(threw);
    });
    cancel();
    e.equal(ran.recv(), std::optional(false));
  });
}

TEST_CASE("after_func: a deadline starts it too, and many run once each") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    std::atomic<int> ran{0};
    wait_group all;
    all.add(100);
    std::vector<stop_func> handles;
    for (int i = 0; i < 100; ++i)
      handles.push_back(after_func(ctx, [&] {
        ++ran;
        all.done();
      }));
    all.wait();
    e.equal(ran.load(), 100);
    for (auto& handle : handles) e(!handle());
  });
}

TEST_CASE("after_func: neither cancel nor stop waits for f") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<void> started, go_on;
    auto handle = after_func(ctx, [=] {
      started.send();
      go_on.recv();
    });
    cancel();  // f is held up until after this and the next
    started.recv();
    e(!handle());
    go_on.send();
  });
}

TEST_CASE("after_func: several on one context are independent, also the same function twice") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<int> ran{4};
    const auto f = [ran] { ran.send(1); };
    auto one = after_func(ctx, f), two = after_func(ctx, f), three = after_func(ctx, f);
    e(two());
    cancel();
    e.equal(ran.recv(), std::optional(1));
    e.equal(ran.recv(), std::optional(1));
    test::settle();
    e.equal(ran.len(), 0u);
    e(!one());
    e(!two());
    e(!three());
  });
}

TEST_CASE("after_func: on the root it waits for the end, and can be stopped; on a context never cancelled too") {
  in_fiber([](expect& e) {
    std::atomic<int> ran{0};
    for (const context& ctx : {background(), without_cancel(background())}) {
      auto handle = after_func(ctx, [&] { ++ran; });
      e(handle());
      e(!handle());
    }
    e.equal(ran.load(), 0);
  });
}
