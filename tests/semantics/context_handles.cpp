// context: cancel_func, cancelable, stop tokens.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

static_assert(sizeof(context) == 8);
static_assert(!std::is_copy_constructible_v<cancel_func>);

static context derived(const context& parent) {
  auto [ctx, cancel] = with_cancel(parent);
  return ctx;
}

TEST_CASE("cancel_func: its destructor cancels") {
  in_fiber([](expect& e) {
    e(derived(background()).err() == errc::canceled);
    context ctx;
    {
      auto scope = with_timeout(background(), 1h);
      ctx = scope;
      e(!ctx.err());
    }
    e(ctx.err() == errc::canceled);
  });
}

TEST_CASE("cancel_func: after release the destructor does not cancel") {
  in_fiber([](expect& e) {
    auto parent = with_cancel(background());
    context ctx;
    {
      auto scope = with_cancel(parent);
      ctx = scope;
      scope.cancel.release();
    }
    e(!ctx.err());
    parent.cancel();
    e(ctx.err() == errc::canceled);
  });
}

TEST_CASE("cancel_func: moves; the moved-from and the default one do nothing") {
  in_fiber([](expect& e) {
    context ctx;
    cancel_func kept;
    kept();
    {
      auto [inner, cancel] = with_cancel(background());
      ctx = inner;
      kept = std::move(cancel);
      cancel();  // NOLINT(bugprone-use-after-move): that is the point
      e(!ctx.err());
    }
    e(!ctx.err());
    kept();
    e(ctx.err() == errc::canceled);
  });
}

TEST_CASE("cancel_func: assigning to one cancels what it had") {
  in_fiber([](expect& e) {
    auto a = with_cancel(background());
    auto b = with_cancel(background());
    a.cancel = std::move(b.cancel);
    e(a.ctx.err() == errc::canceled);
    e(!b.ctx.err());
    a.cancel();
    e(b.ctx.err() == errc::canceled);
  });
}

TEST_CASE("cancelable: serves as a context") {
  in_fiber([](expect& e) {
    const auto is_over = [](const context& ctx) { return static_cast<bool>(ctx.err()); };
    auto scope = with_cancel(background());
    e(!is_over(scope));
    auto child = with_cancel(scope);
    scope.cancel();
    e(is_over(scope));
    e(is_over(child));
  });
}

TEST_CASE("context: cancel comes from a foreign thread as well") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const cancel_func& stop = cancel;
    test::foreign thread([&stop] { stop(); });
    e(!ctx.done().recv());
    e(ctx.err() == errc::canceled);
    thread.join();
  });
}

TEST_CASE("stop_token: a context gives one that is stopped with it") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const std::stop_token token = ctx.stop_token();
    e(token.stop_possible());
    e(!token.stop_requested());
    const chan<void> heard{1};
    const std::stop_callback callback(token, [heard] { (void)heard.try_send(); });
    cancel();
    e(heard.recv());
    e(token.stop_requested());
    e(ctx.stop_token().stop_requested());
  });
}

TEST_CASE("stop_token: with_stop_token cancels when the token is stopped") {
  in_fiber([](expect& e) {
    std::stop_source source;
    const context ctx = with_stop_token(background(), source.get_token());
    e(!ctx.err());
    source.request_stop();
    e(!ctx.done().recv());
    e(ctx.err() == errc::canceled);
    e(ctx.cause() != nullptr);
    const context late = with_stop_token(background(), source.get_token());
    e(!late.done().recv());
  });
}

TEST_CASE("stop_token: with_stop_token follows its parent too") {
  in_fiber([](expect& e) {
    std::stop_source source;
    auto parent = with_cancel(background());
    const context ctx = with_stop_token(parent, source.get_token());
    parent.cancel();
    e(ctx.err() == errc::canceled);
    source.request_stop();
    e(ctx.err() == errc::canceled);
  });
}

TEST_CASE("stop_token: a bound fiber is thrown out when the token is stopped") {
  in_fiber([](expect& e) {
    std::stop_source source;
    auto t = spawn(with_stop_token(background(), source.get_token()), [] { this_fiber::sleep_for(1h); });
    test::settle();
    source.request_stop();
    e.throws<canceled>([&] { t.join(); });
  });
}
