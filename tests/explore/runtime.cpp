// The runtime's own protocols under explore: none of its schedules fails. tests/mutant/explore breaks each of them.
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <weft/synctest.hpp>

#include "tests/support/support.hpp"

using namespace weft;
using namespace std::chrono_literals;
using synctest::exploration;
using synctest::explore;
using synctest::explore_options;
using synctest::strategy;

namespace {

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

// So many fibers go on from here at once, on as many processors: woken by one another they would go on in turns.
class meeting {
 public:
  explicit meeting(int count) : missing_(count) {}
  void operator()() {
    for (--missing_; missing_ > 0;) this_fiber::yield();
  }

 private:
  std::atomic<int> missing_;
};

// A few steps more or less, for two that are to meet in the middle of what they do.
void dawdle(int steps) {
  const chan<int> empty;
  for (int i = 0; i < steps; ++i) static_cast<void>(empty.try_recv());
}
constexpr int k_lags = 6;

// Whatever fails, fails again from its seed.
void check_holds(const std::function<void()>& f) {
  for (const strategy s : {strategy::random, strategy::pct}) {
    explore_options o{.seeds = test::scale(1000), .strategy = s};
    const exploration e = explore(o, f);
    CHECK_MESSAGE(!e.failed, "seed ", e.seed, ": ", e.what);
    if (!e.failed) continue;
    o.first_seed = e.seed;
    o.seeds = 1;
    const exploration again = explore(o, f);
    MESSAGE("found after ", e.seeds, " seeds; from its seed alone: ", again.what, ", after ", again.steps, " steps");
    CHECK(again.failed);
    CHECK(again.what == e.what);
  }
}

}  // namespace

TEST_CASE("explore: a park and the wake-up beside it lose nothing") {
  check_holds([] {
    chan<int> there, back;
    wait_group echo;
    meeting at_once(2);
    echo.go([=, &at_once] {
      at_once();
      for (int v : there) back.send(v);
    });
    at_once();
    for (int i = 0; i < 3; ++i) {
      there.send(i);
      require(back.recv() == i, "another value came back");
    }
    there.close();
    echo.wait();
  });
}

TEST_CASE("explore: who waits for a moved value is made ready once, with the value there") {
  check_holds([] {
    chan<std::unique_ptr<int>> c;
    wait_group both;
    meeting at_once(2);
    both.go([&] {
      at_once();
      for (int i = 0; i < 2; ++i) c.send(std::make_unique<int>(i));
    });
    at_once();
    int sum = 0;
    for (int i = 0; i < 2; ++i) sum += **c.recv();
    both.wait();
    require(sum == 1, "a value was lost or doubled");
  });
}

TEST_CASE("explore: a select takes one of two values that come at once, and leaves the other") {
  check_holds([] {
    chan<int> a, b;
    meeting at_once(2);
    wait_group both;
    both.go([&] {
      at_once();
      a.send(1);
    });
    both.go([&] {
      at_once();
      b.send(2);
    });
    std::optional<int> v;
    int sum = 0;
    for (int i = 0; i < 2; ++i) {
      select(recv(a, v), recv(b, v));
      sum += *v;
    }
    both.wait();
    require(sum == 3, "a value was lost or doubled");
  });
}

TEST_CASE("explore: a timer that was stopped in time sends nothing") {
  check_holds([] {
    for (int i = 0; i < 4; ++i) {
      timer t(1us);
      const auto due = clock::now() + 1us;
      while (clock::now() < due) this_fiber::poll();  // it may fire on another processor
      if (!t.stop()) continue;
      this_fiber::sleep_for(5us);
      require(!t.try_recv(), "a stopped timer has sent");
    }
  });
}

//     the task's fiber                 its joiner
//     completes; holds its context
//                                      join() returns: over, whoever else holds it
//     lets go of it
TEST_CASE("explore: a task's context is over when join() returns") {
  check_holds([] {
    for (int i = 0; i < 5; ++i) {
      context kept;
      spawn([&kept] { kept = this_fiber::context(); }).join();
      require(kept.err() == errc::canceled, "a joined task's context is alive");
    }
  });
}

//     its handle                            the task
//     cancels: looks whether its context
//     is made: not yet
//                                           makes it; waits under it
//     … and flags a fiber whose context knows of nothing?
TEST_CASE("explore: a task that asks for its context beside its cancel hears of it") {
  check_holds([] {
    meeting at_once(2);
    auto t = spawn([&] {
      {
        const shield_scope unhurt;
        at_once();
      }
      const context own = this_fiber::context();
      const result<int> r = chan<int>().recv(own);
      require(r.error() == errc::canceled && own.err() == errc::canceled, "its context does not tell");
    });
    at_once();
    t.cancel();
    t.join();
  });
}

//     its handle                            the task
//     cancels: it is bound still
//                                           ends; its block is another fiber's
//     … and flags that one?
TEST_CASE("explore: a task's cancel beside its end reaches nobody else") {
  check_holds([] {
    meeting at_once(2);
    wait_group others;
    std::atomic<bool> struck{false};
    auto t = spawn([&] {
      {
        const shield_scope unhurt;
        at_once();
      }
      others.go([&] {  // in a block that is taken from the same processor as the task's was given to
        this_fiber::yield();
        auto next = spawn([] { this_fiber::yield(); });
        if (!next.join(background())) struck = true;
      });
    });
    at_once();
    t.cancel();
    t.done().recv();
    others.wait();
    require(!struck, "another task was cancelled");
  });
}

//     its joiner                            the task
//     is cancelled; would take itself out
//                                           has ended, and taken it already; would wake it
//     … and joins again, under another generation, or is through with it first?
TEST_CASE("explore: a join that is given up beside the task's end is made again, or hears of it") {
  check_holds([] {
    for (int lag = 0; lag < k_lags; ++lag) {
      meeting at_once(2);
      auto [ctx, cancel] = with_cancel(background());
      auto t = spawn([&] {
        at_once();
        dawdle(3 * lag * lag);  // from before the cancel to after the second join
        return std::make_unique<int>(7);
      });
      wait_group canceling;
      canceling.go([&, &cancel = cancel] {
        at_once();
        dawdle(3);
        cancel();
      });
      auto value = t.join(ctx);
      if (!value) {
        require(value.error() == errc::canceled, "another error");
        wait_group another;
        another.go([&] { value = t.join(background()); });
        another.wait();
      }
      require(value && **value == 7, "the value is lost");
      canceling.wait();
    }
  });
}

//     its handle                            the task
//     makes done()
//                                           ends: nobody has it
//     says that it has                      … and it is never closed?
//     the same of who lets go: then both delete what they share, or neither
TEST_CASE("explore: done() that is asked for, and a handle that lets go, beside the task's end") {
  check_holds([] {
    for (int lag = 0; lag < k_lags; ++lag) {
      meeting at_once(2);
      auto value = std::make_shared<int>(7);
      auto t = spawn([&at_once, lag, value] {
        at_once();
        dawdle(lag);
        return value;
      });
      at_once();
      dawdle(k_lags - lag);
      const recv_chan<void> over = t.done();
      t.detach();
      over.recv();
      while (value.use_count() != 1) this_fiber::yield();
    }
  });
}

TEST_CASE("explore: a child that is made beside its parent's cancel is cancelled") {
  check_holds([] {
    auto [parent, cancel] = with_cancel(background());
    meeting at_once(2);
    wait_group both;
    both.go([&, ctx = parent] {
      at_once();
      auto [child, cancel_child] = with_cancel(ctx);
      child.done().recv();
    });
    at_once();
    cancel();
    both.wait();
  });
}

//     cancel                           the fiber, without the wait in err()
//     the context's state changes
//                                      sees the error; its done channel is open, its next wait is not cut short
//     closes the channel, flags the fiber
TEST_CASE("explore: a fiber that sees its context's error is cancelled, and done() is closed") {
  check_holds([] {
    meeting at_once(2);
    bool thrown = false, closed = false;
    auto bound = spawn([&] {
      const recv_chan<void>& done = this_fiber::context().done();
      shield([&] {
        at_once();
        while (!this_fiber::context().err()) this_fiber::yield();
      });
      closed = done.try_recv().error() == errc::closed;
      try {
        this_fiber::sleep_for(1ms);
      } catch (const canceled&) {
        thrown = true;
      }
    });
    at_once();
    bound.cancel();
    bound.join();
    require(thrown, "the fiber was not flagged");
    require(closed, "done() was open");
  });
}

//     the fiber, its store not seq_cst      cancel
//     word = preparing, not seen yet
//                                           flags the fiber; looks at the word: it does not wait
//     looked at the flag before; parks      … and nobody wakes it
TEST_CASE("explore: a fiber that begins to wait beside its cancel is woken") {
  check_holds([] {
    meeting at_once(2);
    auto bound = spawn([&] {
      shield([&] { at_once(); });
      const chan<void> never;
      for (int i = 0; i < 2; ++i) try {
          never.recv();
          require(false, "it received");
        } catch (const canceled&) {
        }
    });
    at_once();
    bound.cancel();
    bound.join();
  });
}

TEST_CASE("explore: a cancel beside a receive and a send loses neither value nor waiter") {
  check_holds([] {
    chan<int> c;
    auto [ctx, cancel] = with_cancel(background());
    wait_group all;
    bool received = false, sent = false;
    all.go([&] { received = c.recv(ctx).has_value(); });
    all.go([&, bound = ctx] { sent = c.send(bound, 1).has_value(); });
    all.go(ctx, [&] { chan<void>().recv(); });
    cancel();
    all.wait();
    require(received == sent, "a value was lost or made");
  });
}

TEST_CASE("explore: waiters that are cancelled beside the unlock leave the queues, and nothing that was held is lost") {
  check_holds([] {
    mutex m;
    semaphore one{1};
    auto [ctx, cancel] = with_cancel(background());
    meeting at_once(2);
    wait_group all;
    m.lock();
    one.acquire();
    all.go([&, given = ctx] {
      if (m.lock(given)) m.unlock();
    });
    all.go(ctx, [&] {
      one.acquire();
      one.release();
    });
    all.go([&, stop = std::move(cancel)]() mutable {
      at_once();
      stop();
    });
    at_once();
    m.unlock();
    one.release();
    m.lock();  // behind those who were there
    m.unlock();
    all.wait();
    require(m.try_lock(), "the mutex was lost");
    m.unlock();
    require(one.try_acquire(), "a unit was lost");
  });
}

TEST_CASE("explore: mutex, condition variable, semaphore and tasks lose no wake-up") {
  check_holds([] {
    mutex m;
    condition_variable changed;
    semaphore one{1};
    int turn = 0, inside = 0;
    const auto take_turns = [&](int mine) {
      for (int i = 0; i < 2; ++i) {
        std::unique_lock hold(m);
        changed.wait(hold, [&] { return turn == mine; });
        turn = 1 - mine;
        changed.notify_all();
        hold.unlock();
        one.acquire();
        require(++inside == 1, "two are inside");
        this_fiber::yield();
        --inside;
        one.release();
      }
      return mine;
    };
    task<int> first = spawn([&] { return take_turns(0); });
    task<int> second = spawn([&] { return take_turns(1); });
    require(first.join() + second.join() == 1, "wrong values");
  });
}

// A fiber that holds it yields, so that others queue; one of them is woken while the lock is taken again.
TEST_CASE("explore: of those who wait for a mutex none is left, also when one of them is cancelled") {
  check_holds([] {
    mutex m;
    int inside = 0;
    auto [ctx, cancel] = with_cancel(background());
    wait_group all;
    const auto hold_it = [&] {
      require(++inside == 1, "two are inside");
      this_fiber::yield();
      --inside;
      m.unlock();
    };
    for (int i = 0; i < 3; ++i)
      all.go([&] {
        for (int n = 0; n < 2; ++n) {
          m.lock();
          hold_it();
        }
      });
    all.go([&, &ctx = ctx] {
      if (m.lock(ctx)) hold_it();
    });
    cancel();
    all.wait();
    require(m.try_lock(), "it is free in the end");
  });
}

TEST_CASE("explore: a waiter's wait beside its cancel and its wake-up ends by one of them") {
  check_holds([] {
    spin_lock lock;
    waiter w;
    bool listed = false, woken = false, ended = false;
    auto [ctx, cancel] = with_cancel(background());
    wait_group both;
    both.go([&, &ctx = ctx] {
      std::unique_lock hold(lock);
      listed = true;
      ended = w.wait(ctx, hold).has_value();
      listed = false;
      require(hold.owns_lock(), "the lock was not taken again");
    });
    both.go([&] {
      const std::lock_guard hold(lock);
      woken = listed && w.wake();
    });
    cancel();
    both.wait();
    require(ended == woken, "woken and cancelled, or neither");
  });
}

TEST_CASE("explore: a bubble's clock jumps when nobody inside can go on, and not before") {
  check_holds([] {
    const auto elapsed = synctest::bubble([] {
      const auto began = clock::now();
      chan<std::unique_ptr<int>> c;
      wait_group both;
      both.go([&] {
        for (int i = 0; i < 2; ++i) {
          this_fiber::sleep_for(1h);
          c.send(std::make_unique<int>(i));
        }
      });
      both.go([&] {
        for (int i = 1; i <= 2; ++i) {
          c.recv();
          require(clock::now() - began == i * 1h, "the clock went on while somebody could");
        }
      });
      synctest::wait();
      require(clock::now() == began, "time passed in wait");
      both.wait();
      return clock::now() - began;
    });
    require(elapsed == 2h, "it took another time");
  });
}
