// Calls that block their thread and that nobody announced: they hold nobody up.
#include "runtime/sched/detach.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <vector>

#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using runtime::overstay;
using runtime::processor;
using test::expect;
using test::in_fiber;
using test::pipe_pair;

namespace {

using test::k_chaos;

}  // namespace

TEST_CASE("preemption: an undeclared read on an empty pipe holds nobody up") {
  in_fiber({1, 2}, [](expect& e) {
    constexpr int k_readers = 5;
    std::vector<pipe_pair> pipes(k_readers);
    std::vector<task<char>> readers;
    for (const pipe_pair& p : pipes) readers.push_back(spawn([&p] { return p.read(); }));
    for (int i = 0; i < 20; ++i) this_fiber::sleep_for(1ms);  // comes back each time
    for (const pipe_pair& p : pipes) p.write('x');
    for (auto& t : readers) e.equal(t.join(), 'x');
  });
}

TEST_CASE("preemption: two fibers talk over pipes by undeclared reads, on the only processor") {
  in_fiber({1}, [](expect& e) {
    const pipe_pair to, fro;
    auto echo = spawn([&] {
      for (int i = 0; i < 10; ++i) fro.write(to.read());
    });
    for (int i = 0; i < 10; ++i) {
      to.write(static_cast<char>('a' + i));
      e.equal(fro.read(), static_cast<char>('a' + i));
    }
    echo.join();
  });
}

TEST_CASE("preemption: an undeclared usleep holds nobody up" * doctest::skip(k_chaos)) {
  in_fiber({1}, [](expect& e) {
    // A machine may be so loaded that the sleep is over first; not over and over again.
    long turns = 0;
    for (int attempt = 0; attempt < 20 && turns == 0; ++attempt) {
      std::atomic<bool> sleeping{false}, slept{false};
      auto other = spawn([&] {
        for (; !slept; this_fiber::yield())
          if (sleeping) ++turns;
      });
      sleeping = true;
      ::usleep(200'000);
      sleeping = false;
      slept = true;
      other.join();
    }
    e(turns > 0);
  });
}

TEST_CASE("preemption: an undeclared sleep that lost its processor is left to end by itself" * doctest::skip(k_chaos)) {
  in_fiber({1}, [](expect& e) {
    // Now and then a signal is on its way already when the sleep begins.
    constexpr int k_naps = 20;
    int interrupted = 0;
    for (int i = 0; i < k_naps; ++i) {
      std::atomic<bool> slept{false};
      auto other = spawn([&] {
        while (!slept) this_fiber::yield();
      });
      if (::usleep(20'000) != 0) ++interrupted;
      slept = true;
      other.join();
    }
    e(interrupted <= k_naps / 4);
  });
}

TEST_CASE("preemption: a fiber that was detached waits for a processor before it is in a no_preempt scope") {
  in_fiber({1}, [](expect& e) {
    const pipe_pair p;
    std::atomic<bool> reads{false}, in_scope{false};
    auto reader = spawn([&] {
      reads = true;
      p.read();  // the next one runs when its processor has been taken
      const no_preempt guard;
      in_scope = true;
    });
    while (!reads) this_fiber::yield();
    {
      const no_preempt guard;
      p.write('x');
      for (const auto end = clock::now() + 5ms; clock::now() < end && !in_scope;) {
      }
      e(!in_scope);
    }
    reader.join();
    e(in_scope);
  });
}

TEST_CASE("preemption: a fiber that was detached is one of P again") {
  in_fiber({1}, [](expect& e) {
    const pipe_pair p;
    auto writer = spawn([&] {
      this_fiber::sleep_for(1ms);
      p.write('x');
    });
    e.equal(p.read(), 'x');
    writer.join();
    // On one processor nobody else runs between two points.
    long shared = 0;
    wait_group all;
    for (int i = 0; i < 10; ++i)
      all.go([&] {
        for (int n = 0; n < 100; ++n) {
          const no_preempt guard;
          shared = shared + 1;
        }
        this_fiber::yield();
      });
    all.wait();
    e.equal(shared, 1000);
  });
}

//     the monitor                             a worker
//     turn 7: its thread sleeps in the kernel   wakes, ends turn 7, begins turn 8
//     takes the processor
TEST_CASE("preemption: the monitor takes no processor from a later turn than it has looked at" *
          doctest::skip(WEFT_TSAN != 0)) {
  expect e;
  run({.processors = 2, .preemption = false}, [&] {
    std::atomic<processor*> where{nullptr};
    std::atomic<bool> stop{false};
    const auto here = [] { return runtime::processor_of(runtime::section().here()); };
    auto computes = spawn([&] {
      where = here();
      while (!stop) {
      }
      return here();
    });
    while (where == nullptr || where == here()) this_fiber::yield();
    processor& p = *where;
    const std::uint32_t turn = p.tick.load();
    e(!runtime::detach(p, turn - 1, overstay::blocks));
    e(!runtime::detach(p, turn - 1, overstay::computes));
    e(runtime::detach(p, turn, overstay::blocks));
    stop = true;
    e(computes.join() == nullptr);  // it has not asked for another one
  });
  e.report();
}
