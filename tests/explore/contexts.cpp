// Tasks and contexts under explore: as in runtime.cpp, no schedule fails.
#include <atomic>
#include <memory>
#include <weft/synctest.hpp>

#include "tests/explore/runtime.hpp"

using namespace weft;
using namespace test;
using namespace std::chrono_literals;

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
