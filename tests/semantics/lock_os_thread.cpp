// lock_os_thread: a fiber and its thread.
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "tests/support/preemption.hpp"
#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

using test::k_no_signals;

}  // namespace

TEST_CASE("lock_os_thread: a locked fiber stays on its thread over every wait, and nobody else runs there") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const chan<int> to, fro;
    std::atomic<int> locked_on{0};
    std::atomic<bool> stop{false};
    wait_group others;
    for (int i = 0; i < 4; ++i)
      others.go([&] {
        for (; !stop; this_fiber::yield())
          if (const int thread = locked_on; thread != 0 && ::gettid() == thread && locked_on == thread) e(false);
      });
    auto echo = spawn([=] {
      for (const int v : to) fro.send(v);
    });
    auto locked = spawn([&] {
      lock_os_thread();
      thread_local int here = 0;
      const int thread = ::gettid();
      here = thread;
      locked_on = thread;
      for (int i = 0; i < 200; ++i) {
        to.send(i);
        e.equal(fro.recv(), std::optional(i));
        e.equal(::gettid(), thread);
        this_fiber::yield();
        e.equal(::gettid(), thread);
        if (i % 20 == 0) {
          this_fiber::sleep_for(100us);
          blocking([] { ::usleep(100); });
          e.equal(::gettid(), thread);
        }
        volatile int* const now = &here;
        e.equal(*now, thread);
      }
      locked_on = 0;
      unlock_os_thread();
    });
    locked.join();
    stop = true;
    others.wait();
    to.close();
    echo.join();
  });
}

TEST_CASE("lock_os_thread: it nests; the last unlock counts") {
  in_fiber({2, 4}, [](expect& e) {
    std::atomic<bool> stop{false};
    wait_group others;
    for (int i = 0; i < 4; ++i)
      others.go([&] {
        while (!stop) this_fiber::yield();
      });
    auto locked = spawn([&] {
      lock_os_thread();
      const int thread = ::gettid();
      lock_os_thread();
      unlock_os_thread();
      for (int i = 0; i < 100; ++i) {
        this_fiber::yield();
        e.equal(::gettid(), thread);
      }
      unlock_os_thread();
      for (int i = 0; i < 100; ++i) this_fiber::yield();
    });
    locked.join();
    stop = true;
    others.wait();
  });
}

TEST_CASE("lock_os_thread: unlock without a lock, and either without a fiber, is misuse") {
  in_fiber([](expect& e) {
    e.throws<std::logic_error>([] { unlock_os_thread(); });
    lock_os_thread();
    unlock_os_thread();
    e.throws<std::logic_error>([] { unlock_os_thread(); });
  });
  CHECK_THROWS_AS(lock_os_thread(), std::logic_error);
  CHECK_THROWS_AS(unlock_os_thread(), std::logic_error);
}

TEST_CASE("lock_os_thread: many locked fibers at once, each on a thread of its own, on one processor") {
  in_fiber({1, 2}, [](expect& e) {
    constexpr int k_fibers = 20;
    std::mutex m;
    std::set<int> threads;
    std::atomic<int> here{0};
    wait_group all;
    for (int i = 0; i < k_fibers; ++i)
      all.go([&] {
        lock_os_thread();
        const int thread = ::gettid();
        {
          const no_preempt guard;
          const std::lock_guard hold(m);
          threads.insert(thread);
        }
        for (++here; here < k_fibers;) this_fiber::yield();
        e.equal(::gettid(), thread);
        unlock_os_thread();
      });
    all.wait();
    e.equal(threads.size(), std::size_t{k_fibers});
  });
}

TEST_CASE("lock_os_thread: a locked fiber in a loop is preempted, and waits for no one") {
  if (k_no_signals) return;
  test::for_processors({1, 2}, [](unsigned processors) {
    expect e;
    run(test::on(processors), [&] {
      test::while_preempted(processors, 50, [&](const std::atomic<bool>& stop) {
        lock_os_thread();
        const int thread = ::gettid();
        while (!stop) {
          test::spin(1000);
          if (::gettid() != thread) e(false);
        }
        unlock_os_thread();
      });
      e(true);
    });
    e.report();
  });
}

TEST_CASE("lock_os_thread: a cancel reaches a locked fiber; one that ends locked leaves the others alone") {
  in_fiber({1, 2}, [](expect& e) {
    const chan<int> never;
    for (int i = 0; i < 10; ++i) {
      auto scope = with_cancel(background());
      auto locked = spawn(scope, [&] {
        this_fiber::yield();
        lock_os_thread();
        never.recv();
      });
      test::await_waiting("channel receive", 1);
      scope.cancel();
      e.throws<canceled>([&] { locked.join(); });
    }
    for (int i = 0; i < 10; ++i) this_fiber::sleep_for(100us);
  });
}
