// A wait that is given a context is in its list of waiters while it lasts, and not a moment longer: the link lies on
// the waiter's stack.
#include <functional>
#include <mutex>

#include "runtime/sync/context_node.hpp"
#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

int count_waiters(const context& ctx) {
  runtime::cancel_node& node = *runtime::canceler_of(ctx.node());
  const std::lock_guard hold(node.lock);
  int count = 0;
  for (const runtime::cancel_link* l = node.waiters.front(); l != nullptr; l = l->next) ++count;
  return count;
}

// `wait` waits for `reason`, under the context that it is given, until `end` ends it in another way.
void check_unlinked(expect& e, std::string_view reason, std::function<bool(const context&)> wait,
                    std::function<void()> end) {
  auto scope = with_cancel(background());
  auto t = spawn([&] { return wait(scope.ctx); });
  test::await_waiting(reason, 1);
  e.equal(count_waiters(scope.ctx), 1);
  end();
  e(t.join());
  e.equal(count_waiters(scope.ctx), 0);
  scope.cancel();
}

}  // namespace

TEST_CASE("wait scope: a wait that is given a context and ends otherwise leaves nothing with it") {
  in_fiber({1, 2}, [](expect& e) {
    chan<int> c;
    check_unlinked(e, "channel receive", [&](const context& ctx) { return c.recv(ctx) == 1; }, [&] { c.send(1); });
    check_unlinked(
        e, "channel send", [&](const context& ctx) { return c.send(ctx, 2).has_value(); }, [&] { c.recv(); });
    mutex m;
    m.lock();
    check_unlinked(e, "mutex lock", [&](const context& ctx) { return m.lock(ctx).has_value(); }, [&] { m.unlock(); });
    semaphore s{1};
    s.acquire();
    check_unlinked(
        e, "semaphore", [&](const context& ctx) { return s.acquire(ctx).has_value(); }, [&] { s.release(); });
    wait_group g;
    g.add(1);
    check_unlinked(e, "wait group", [&](const context& ctx) { return g.wait(ctx).has_value(); }, [&] { g.done(); });
    condition_variable changed;  // with m, which the fiber before has locked
    check_unlinked(
        e, "condition variable", [&](const context& ctx) { return changed.wait(ctx, m).has_value(); },
        [&] { changed.notify_one(); });
  });
}

TEST_CASE("wait scope: a wait under the bound context, given again, needs no link of its own") {
  in_fiber({1, 2}, [](expect& e) {
    chan<int> c;
    auto scope = with_cancel(background());
    chan<context> own{1};
    auto t = spawn(scope, [&] {
      own.send(this_fiber::context());
      return c.recv(this_fiber::context()).error();
    });
    const auto bound = own.recv();
    test::await_waiting("channel receive", 1);
    e.equal(count_waiters(*bound), 1);  // the fiber's own
    scope.cancel();
    e(t.join() == errc::canceled);
  });
}
