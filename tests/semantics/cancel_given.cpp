// Calls that are given a context: they report through the result, and never throw canceled.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

// Runs `wait(ctx)` in an unbound fiber, cancels ctx, and gives what the wait reported.
template <class F>
static std::error_code reported_by(F wait) {
  auto [ctx, cancel] = with_cancel(background());
  const context& given = ctx;
  auto t = spawn([&given, wait] { return error_of(wait(given)); });
  test::settle();
  cancel();
  return t.join();
}

TEST_CASE("given a context: a parked wait reports canceled, and did not happen") {
  in_fiber([](expect& e) {
    const chan<int> c;
    const chan<void> v;
    mutex m;
    wait_group pending;
    pending.add(1);
    m.lock();
    const chan<void> end;
    auto other = spawn([end] { end.recv(); });
    e(reported_by([&](const context& ctx) { return c.recv(ctx); }) == errc::canceled);
    e(reported_by([&](const context& ctx) { return c.send(ctx, 1); }) == errc::canceled);
    e(reported_by([&](const context& ctx) { return v.send(ctx); }) == errc::canceled);
    e(reported_by([&](const context& ctx) { return m.lock(ctx); }) == errc::canceled);
    e(reported_by([&](const context& ctx) { return pending.wait(ctx); }) == errc::canceled);
    e(reported_by([&](const context& ctx) { return other.join(ctx); }) == errc::canceled);
    e(reported_by([](const context& ctx) { return sleep_for(ctx, 1h); }) == errc::canceled);
    e(reported_by([](const context& ctx) { return sleep_until(ctx, clock::now() + 1h); }) == errc::canceled);
    e(!c.try_send(1));
    m.unlock();
    e(m.try_lock());
    m.unlock();
    pending.done();
    end.close();
    other.join();
  });
}

TEST_CASE("given a cancelled context: nothing happens, even where it would not have blocked") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    cancel();
    const chan<int> c{2};
    c.send(1);
    e(error_of(c.recv(ctx)) == errc::canceled);
    e(error_of(c.send(ctx, 2)) == errc::canceled);
    e(error_of(sleep_for(ctx, 1h)) == errc::canceled);
    e.equal(c.len(), 1u);
  });
}

TEST_CASE("given a context: it stands in for the bound one, whose cancellation is not heard in the call") {
  in_fiber([](expect& e) {
    auto scope = with_cancel(background());
    const chan<int> c{1};
    bool threw = false;
    auto t = spawn(scope, [&] {
      scope.cancel();
      e(c.send(background(), 1).has_value());
      e.equal(c.recv(background()).value(), 1);
      e(sleep_for(background(), 1ms).has_value());
      try {
        this_fiber::poll();
      } catch (const canceled&) {
        threw = true;
      }
    });
    t.join();
    e(threw);
  });
}

TEST_CASE("given the bound context: the call reports, it does not throw") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const chan<int> c;
    std::error_code code;
    auto t = spawn(ctx, [&] { code = error_of(c.recv(this_fiber::context())); });
    test::settle();
    cancel();
    t.join();
    e(code == errc::canceled);
  });
}

TEST_CASE("error_of and unwrap turn results into codes and exceptions") {
  in_fiber([](expect& e) {
    e(!error_of(result<int>(3)));
    e.equal(unwrap(result<int>(3)), 3);
    unwrap(result<void>());
    const auto failed = [](std::error_code code) { return result<int>(std::unexpected(code)); };
    e.throws<canceled>([&] { unwrap(failed(errc::canceled)); });
    e.throws<canceled>([&] { unwrap(failed(errc::deadline_exceeded)); });
    e.throws<std::system_error>([&] { unwrap(failed(errc::closed)); });
    e.throws<std::system_error>([&] { unwrap(failed(make_error_code(std::errc::io_error))); });
    e(!make_error_code(errc::canceled).message().empty());
    e(&make_error_code(errc::canceled).category() == &make_error_code(errc::closed).category());
  });
}
