// context: cancellation goes down the tree, with its reason, and never up.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("context: fresh ones are alive and without cause, deadline or end") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    e(!ctx.err());
    e(ctx.cause() == nullptr);
    e(!ctx.deadline());
    e(error_of(ctx.done().try_recv()) == errc::would_block);
    e(!background().err());
    e(!todo().err());
    e(context() == background());
  });
}

TEST_CASE("context: cancel ends it: err, cause and done say so") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    cancel();
    e(ctx.err() == errc::canceled);
    e(ctx.err() == std::errc::operation_canceled);
    e(ctx.err() != errc::deadline_exceeded);
    e(ctx.cause() != nullptr);
    e(!ctx.done().recv());
    e(error_of(ctx.done().try_recv()) == errc::closed);
    e(!background().err());
  });
}

TEST_CASE("context: all descendants are cancelled when cancel has returned, ancestors and siblings are not") {
  in_fiber([](expect& e) {
    auto root = with_cancel(background());
    auto left = with_cancel(root);
    auto right = with_cancel(root);
    auto leaf = with_timeout(left, 1h);
    auto leaf_of_leaf = with_cancel_cause(leaf);
    left.cancel();
    e(left.ctx.err() == errc::canceled);
    e(leaf.ctx.err() == errc::canceled);
    e(leaf_of_leaf.ctx.err() == errc::canceled);
    e(!root.ctx.err());
    e(!right.ctx.err());
    root.cancel();
    e(right.ctx.err() == errc::canceled);
  });
}

// Children are taken many at a time, and those on which nothing hangs are done with first.
TEST_CASE("context: of a hundred children each is cancelled, whatever hangs on it, and what hangs there hears of it") {
  in_fiber([](expect& e) {
    auto parent = with_cancel_cause(background());
    std::vector<cancelable> children;
    std::vector<cancelable> below;
    std::vector<task<std::error_code>> waiting;
    std::vector<std::stop_token> stops;
    std::vector<recv_chan<void>> ends;
    std::vector<stop_func> registered;
    std::atomic<int> called{0};
    for (int i = 0; i < 100; ++i) {
      const context& ctx = children.emplace_back(i % 3 == 0 ? with_timeout(parent, 1h) : with_cancel(parent)).ctx;
      switch (i % 10) {
        case 1:
          below.push_back(with_cancel(ctx));
          break;
        case 2:
          waiting.push_back(spawn([ctx] { return error_of(sleep_for(ctx, 1h)); }));
          break;
        case 3:
          stops.push_back(ctx.stop_token());
          break;
        case 4:
          ends.push_back(ctx.done());
          break;
        case 5:
          registered.push_back(after_func(ctx, [&] { ++called; }));
          break;
        default:
          break;
      }
    }
    test::settle();
    parent.cancel(std::make_exception_ptr(std::runtime_error("why")));
    for (const auto* contexts : {&children, &below})
      for (const auto& [ctx, cancel] : *contexts) {
        e(ctx.err() == errc::canceled);
        e(ctx.cause() == parent.ctx.cause());
      }
    for (const std::stop_token& t : stops) e(t.stop_requested());
    for (const auto& done : ends) e(error_of(done.try_recv()) == errc::closed);
    for (auto& t : waiting) e(t.join() == errc::canceled);
    while (called != 10) this_fiber::yield();
    e(children.size() == 100);
    e(waiting.size() + stops.size() + ends.size() + registered.size() + below.size() == 50);
  });
}

TEST_CASE("context: a child of a cancelled context is born cancelled, with its cause") {
  in_fiber([](expect& e) {
    auto parent = with_cancel_cause(background());
    parent.cancel(std::make_exception_ptr(std::runtime_error("why")));
    auto child = with_cancel(parent);
    auto grandchild = with_timeout(child, 1h);
    e(child.ctx.err() == errc::canceled);
    e(grandchild.ctx.err() == errc::canceled);
    e(grandchild.ctx.cause() == parent.ctx.cause());
    e(!child.ctx.done().recv());
  });
}

TEST_CASE("context: cancelling again changes nothing, the first cause is kept") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel_cause(background());
    const auto first = std::make_exception_ptr(std::runtime_error("first"));
    cancel(first);
    cancel(std::make_exception_ptr(std::runtime_error("second")));
    cancel();
    e(ctx.cause() == first);
    e(ctx.err() == errc::canceled);
  });
}

TEST_CASE("context: the cause may be an error code, and reaches the descendants") {
  in_fiber([](expect& e) {
    auto parent = with_cancel_cause(background());
    auto child = with_cancel(parent);
    parent.cancel(std::make_error_code(std::errc::no_space_on_device));
    for (const context& ctx : {parent.ctx, child.ctx}) {
      std::error_code code;
      try {
        std::rethrow_exception(ctx.cause());
      } catch (const std::system_error& error) {
        code = error.code();
      }
      e(code == std::errc::no_space_on_device);
      e(ctx.err() == errc::canceled);
    }
  });
}

TEST_CASE("context: a child cancelled earlier keeps its own cause") {
  in_fiber([](expect& e) {
    auto parent = with_cancel_cause(background());
    auto child = with_cancel_cause(parent);
    const auto own = std::make_exception_ptr(std::runtime_error("own"));
    child.cancel(own);
    parent.cancel(std::make_exception_ptr(std::runtime_error("parent's")));
    e(child.ctx.cause() == own);
  });
}

TEST_CASE("context: without_cancel hears nothing from above, and keeps the values") {
  struct key {
    using type = int;
  };
  in_fiber([](expect& e) {
    auto parent = with_timeout(background(), 1h);
    const context detached = without_cancel(with_value<key>(parent, 3));
    auto below = with_cancel(detached);
    parent.cancel();
    e(!detached.err());
    e(!detached.deadline());
    e(detached.cause() == nullptr);
    e(!below.ctx.err());
    e(*below.ctx.value<key>() == 3);
  });
}

TEST_CASE("context: done wakes everybody who waits for it") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    std::vector<task<bool>> waiting;
    for (int i = 0; i < 100; ++i) waiting.push_back(spawn([ctx] { return ctx.done().recv(); }));
    test::settle();
    cancel();
    for (auto& t : waiting) e(!t.join());
  });
}

TEST_CASE("context: done is one channel, however often asked for") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const context copy = ctx;
    e(ctx.done() == copy.done());
    e(&ctx.done() == &ctx.done());
    const recv_chan<void> before = ctx.done();
    cancel();
    e(ctx.done() == before);
  });
}

TEST_CASE("context: a fiber may cancel its parent's context and every other sees it") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const cancel_func& stop = cancel;
    auto other = spawn([&stop] { stop(); });
    e(!ctx.done().recv());
    e(ctx.err() == errc::canceled);
    other.join();
  });
}

TEST_CASE("context: equality is identity, moved-from is background") {
  in_fiber([](expect& e) {
    auto a = with_cancel(background());
    auto b = with_cancel(background());
    context copy = a;
    e(copy == a.ctx);
    e(a.ctx != b.ctx);
    const context moved = std::move(copy);
    e(moved == a.ctx);
    e(copy == background());  // NOLINT(bugprone-use-after-move): that is the point
  });
}
