// The runtime's own protocols under explore: none of its schedules fails. tests/mutant/explore breaks each of them.
#include "tests/explore/runtime.hpp"

#include <memory>
#include <weft/synctest.hpp>

using namespace weft;
using namespace test;
using namespace std::chrono_literals;

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
