// Preemption: fibers that do not call the runtime, and what others may count on all the same.
//
// ThreadSanitizer delivers signals late, with a frame that is no longer true, so weft sends none under it: what needs
// one is skipped there.
#include "tests/support/preemption.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/live_registers.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;
using test::pipe_pair;

namespace {

using test::k_chaos;
using test::k_no_signals;

// body(expect&, P) with 1 and 4 hogs for each of 1 and of 2 processors, all of which have begun and none of which ends
// before the body does.
template <class F>
void behind_hogs(F&& body, const spawn_options& options = {}) {
  for (const unsigned each : {1u, 4u}) {
    INFO("hogs a processor: ", each);
    test::for_processors({1, 2}, [&](unsigned processors) {
      expect e;
      run(test::on(processors), [&] {
        test::hogs hogs(each * processors, options);
        hogs.await_turns();
        body(e, processors);
      });
      e.report();
    });
  }
}

bool is_blocked(int signal) {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

void change_mask(int how, int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(how, &set, nullptr);
}

}  // namespace

TEST_CASE("preemption: a sleeper wakes, though loops without a call hold every processor" *
          doctest::skip(k_no_signals)) {
  behind_hogs([](expect& e, unsigned) {
    for (int i = 0; i < 20; ++i) {
      const auto begin = clock::now();
      this_fiber::sleep_for(1ms);
      e(clock::now() - begin >= 1ms);
    }
  });
}

// A timer whose own processor cannot be had: its thread may lack a CPU just then, or its fiber not be stopped, as here.
// Without the second choice:
//     this processor                      the other one
//     the sleeper sets its timer, parks   a loop without a call
//     a turn that may not be interrupted
//     the timer is due; the signal finds
//     no_preempt                          … is not interrupted: none of its own waits
TEST_CASE("preemption: a sleeper wakes, though the processor with its timer will not give way" *
          doctest::skip(k_no_signals)) {
  test::for_processors({2, 4}, [](unsigned processors) {
    expect e;
    run(test::on(processors), [&] {
      test::hogs hogs(processors - 1);
      hogs.await_turns();
      std::atomic<bool> sleeps{false}, awake{false};
      clock::duration slept{};
      wait_group all;
      all.go([&] {
        const auto begin = clock::now();
        sleeps = true;
        this_fiber::sleep_for(1ms);
        slept = clock::now() - begin;
        awake = true;
      });
      while (!sleeps) this_fiber::yield();
      {
        const no_preempt until_it_wakes;
        while (!awake) {
        }
      }
      all.wait();
      e(slept >= 1ms);
    });
    e.report();
  });
}

TEST_CASE("preemption: a sleeper wakes behind loops that may go on elsewhere" * doctest::skip(k_no_signals)) {
  behind_hogs(
      [](expect& e, unsigned) {
        for (int i = 0; i < 20; ++i) this_fiber::sleep_for(1ms);
        e(true);
      },
      {.migratable = true});
}

TEST_CASE("preemption: hogs take turns among themselves" * doctest::skip(k_no_signals)) {
  test::for_processors({1, 2}, [](unsigned processors) {
    expect e;
    run(test::on(processors), [&] {
      test::hogs hogs(3 * processors + 2);
      for (int round = 0; round < 3; ++round) hogs.await_turns();
      hogs.stop();
      for (unsigned i = 0; i < 3 * processors + 2; ++i) e(hogs.turns(i) > 0);
    });
    e.report();
  });
}

TEST_CASE("preemption: hogs and what they hold up need no timer: a ready fiber runs" * doctest::skip(k_no_signals)) {
  test::for_processors({1, 2}, [](unsigned processors) {
    expect e;
    run(test::on(processors), [&] {
      std::atomic<unsigned> passed{0};
      wait_group all;
      for (unsigned i = 0; i < 2 * processors + 1; ++i)  // each waits for all the others, without a call
        all.go([&] {
          ++passed;
          while (passed.load(std::memory_order_relaxed) < 2 * processors + 1) test::spin(1);
        });
      all.wait();
      e.equal(passed.load(), 2 * processors + 1);
    });
    e.report();
  });
}

TEST_CASE("preemption: a deadline reaches a parked fiber behind hogs" * doctest::skip(k_no_signals)) {
  behind_hogs([](expect& e, unsigned) {
    const chan<int> never;
    for (int i = 0; i < 5; ++i) {
      const auto scope = with_timeout(background(), 2ms);
      e(error_of(never.recv(scope.ctx)) == errc::deadline_exceeded);
      e.throws<canceled>([&] {
        const bind_scope bound(scope.ctx);
        never.recv();
      });
    }
  });
}

TEST_CASE("preemption: a cancel from a foreign thread reaches a parked fiber behind hogs" *
          doctest::skip(k_no_signals)) {
  behind_hogs([](expect& e, unsigned) {
    const chan<int> never;
    for (int i = 0; i < 5; ++i) {
      auto scope = with_cancel(background());
      auto bound = spawn(scope, [&] { never.recv(); });
      auto given = spawn([&] { return error_of(never.recv(scope.ctx)); });
      test::await_waiting("channel receive", 2);
      test::foreign thread([&] { scope.cancel(); });
      e.throws<canceled>([&] { bound.join(); });
      e(given.join() == errc::canceled);
      thread.join();
    }
  });
}

TEST_CASE("preemption: what a foreign thread sends arrives behind hogs" * doctest::skip(k_no_signals)) {
  constexpr int k_rounds = 100;  // the limit of interruptions is reached
  behind_hogs([](expect& e, unsigned) {
    const chan<int> to, fro;
    test::foreign thread([=] {
      for (int i = 0; i < k_rounds; ++i) {
        to.send(i);
        fro.recv();
      }
    });
    for (int i = 0; i < k_rounds; ++i) {
      e.equal(to.recv(), std::optional(i));
      fro.send(i);
    }
    thread.join();
  });
}

TEST_CASE("preemption: nobody waits, nobody is interrupted" * doctest::skip(k_no_signals || k_chaos)) {
  test::for_processors({1, 2}, [](unsigned processors) {
    expect e;
    run(test::on(processors), [&] {
      std::atomic<unsigned> arrived{0}, settled{0}, done{0};
      std::atomic<bool> alone{false};
      std::uint64_t before = 0, after = 0;
      wait_group all;
      for (unsigned i = 0; i < processors; ++i)
        all.go([&, i] {
          // All processors are taken now, and main is to be seen parked: from here on nobody waits.
          for (++arrived; arrived < processors;) test::spin(1);
          // A timer that was set for somebody who waited before has gone off, for each: a thread that has lost its CPU
          // hears of it later.
          for (const auto past = clock::now() + 2 * runtime_options{}.slice; clock::now() < past;) test::spin(1000);
          for (++settled; settled < processors;) test::spin(1);
          while (i == 0 && !alone) {
            const auto fibers = debug::fibers();
            const auto waiting = std::ranges::count(fibers, std::string("waiting"), &debug::fiber_info::state);
            if (waiting != 1) continue;
            before = runtime::preempt_stats().signals;
            alone = true;
          }
          while (!alone) test::spin(1);
          test::spin(50'000'000);
          for (++done; done < processors;) test::spin(1);
          if (i == 0) after = runtime::preempt_stats().signals;
        });
      all.wait();
      e.equal(after, before);
    });
    e.report();
  });
}

TEST_CASE("preemption: with nobody waiting, system calls of the fiber's own see no EINTR" *
          doctest::skip(k_no_signals || k_chaos)) {
  if (test::count_threads() > 1) return;  // an emulator's thread: it ends calls with EINTR on its own account
  in_fiber({1, 2}, [](expect& e) {
    int interrupted = 0;
    for (int i = 0; i < 50; ++i) {
      const timespec nap{0, 1'000'000};
      if (::nanosleep(&nap, nullptr) != 0) ++interrupted;  // never restarted, whatever SA_RESTART says
    }
    e.equal(interrupted, 0);
  });
}

// monitor                                       worker
// sees A's turn last, B waits: arms A's timer
// for the end of the slice
//                                               A's turn ends before, B's begins
//                                               the timer goes off: B's call ends with EINTR
TEST_CASE("preemption: what is armed against one turn does not strike the next" *
          doctest::skip(k_no_signals || k_chaos)) {
  if (test::count_threads() > 1) return;  // as above
  in_fiber({1}, [](expect& e) {
    int interrupted = 0;
    for (int rounds = 0; rounds < 5;) {
      int here = 0;
      const auto start = clock::now();
      clock::time_point begun;
      auto next = spawn([&] {
        begun = clock::now();
        for (int k = 0; k < 10; ++k) {
          const timespec nap{0, 1'000'000};
          if (::nanosleep(&nap, nullptr) != 0) ++here;
        }
      });
      while (clock::now() < start + 5ms) test::spin(100);  // half a slice
      next.join();
      if (begun - start > 9ms) continue;  // a busy machine: this fiber was made to wait for the other
      interrupted += here;
      ++rounds;
    }
    e.equal(interrupted, 0);
  });
}

TEST_CASE("preemption: off, a fiber has the processor until it gives it back" * doctest::skip(k_no_signals)) {
  expect e;
  runtime_options options = test::on(1);
  options.preemption = false;
  run(options, [&] {
    const auto before = runtime::preempt_stats().signals;
    auto sleeper = spawn([] { this_fiber::sleep_for(1ms); });
    this_fiber::yield();
    test::spin(50'000'000);
    e.equal(runtime::preempt_stats().signals, before);
    sleeper.join();
  });
  e.report();
}

TEST_CASE("preemption: in a no_preempt scope the fiber is not stopped; after it, it is" * doctest::skip(k_no_signals)) {
  in_fiber({1}, [](expect& e) {
    std::atomic<long> turns{0};
    std::atomic<bool> stop{false};
    auto sleeper = spawn([&] {
      for (; !stop; ++turns) this_fiber::sleep_for(100us);
    });
    while (turns == 0) this_fiber::yield();
    for (int round = 0; round < 3; ++round) {
      {
        const no_preempt guard;
        const auto before = runtime::preempt_stats().pinned;
        test::spin(20'000'000);
        e.equal(runtime::preempt_stats().pinned, before);
      }
      for (const long wanted = turns + 3; turns < wanted;) test::spin(1);
    }
    stop = true;
    sleeper.join();
  });
}

//     the monitor                              the fiber's thread, in the scope
//     sends the signal                         its CPU is the host's for 7 ms, and the thread's clock goes on
//     2 ms of it, and no safe point was found
//     takes the processor                      goes on in the scope beside the one that runs there now
// Here it is the thread's mask that keeps the signal away.
TEST_CASE("preemption: in a no_preempt scope the processor is not taken where no signal arrives either") {
  in_fiber({1}, [](expect& e) {
    std::atomic<bool> other_ran{false};
    auto other = spawn([&] { other_ran = true; });
    {
      const no_preempt guard;
      sigset_t urgent, before;
      ::sigemptyset(&urgent);
      ::sigaddset(&urgent, SIGURG);
      ::pthread_sigmask(SIG_BLOCK, &urgent, &before);
      for (const auto end = clock::now() + 60ms; clock::now() < end && !other_ran;) test::spin(1000);
      e(!other_ran);
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    other.join();
  });
}

TEST_CASE("preemption: a preempted fiber goes on on its own thread" * doctest::skip(k_no_signals)) {
  test::for_processors({1, 2}, [](unsigned processors) {
    expect e;
    run(test::on(processors), [&] {
      const auto before = runtime::preempt_stats();
      const auto keeps_its_thread = [&](const std::atomic<bool>& stop) {
        thread_local int here = 0;
        const int thread = ::gettid();
        const auto id = std::this_thread::get_id();
        here = thread;
        while (!stop) {
          test::spin(1000);
          if (::gettid() != thread || std::this_thread::get_id() != id || here != thread) e(false);
        }
      };
      do {  // on a busy machine all may lose their processors instead
        test::while_preempted(processors, 100, keeps_its_thread);
      } while (runtime::preempt_stats().pinned == before.pinned);
      const auto after = runtime::preempt_stats();
      e(after.signals >= after.pinned - before.pinned + before.signals);
    });
    e.report();
  });
}

TEST_CASE("preemption: errno stays" * doctest::skip(k_no_signals)) {
  test::for_processors({1, 2}, [](unsigned processors) {
    expect e;
    run(test::on(processors), [&] {
      std::atomic<int> next{1000};
      test::while_preempted(processors, 100, [&](const std::atomic<bool>& stop) {
        const int mine = next++;
        errno = mine;
        while (!stop) {
          test::spin(1000);
          if (errno != mine) e(false);
        }
      });
      e(true);
    });
    e.report();
  });
}

TEST_CASE("preemption: every register stays, bit for bit" * doctest::skip(k_no_signals)) {
  for (const bool migratable : {false, true}) {
    CAPTURE(migratable);
    for (const test::register_set& set : test::register_sets()) {
      CAPTURE(set.name);
      test::for_processors({1, 2}, [&](unsigned processors) {
        expect e;
        run(test::on(processors), [&] {
          std::atomic<std::uint64_t> seed{1};
          test::while_preempted(processors, 100, {.migratable = migratable}, [&](const std::atomic<bool>& stop) {
            while (!stop)
              if (!test::registers_survive(set, ++seed, 20'000)) e(false);
          });
          e(seed > 1);
        });
        e.report();
      });
    }
  }
}

TEST_CASE("preemption: an exception in flight and those caught stay" * doctest::skip(k_no_signals)) {
  test::for_processors({1, 2}, [](unsigned processors) {
    expect e;
    run(test::on(processors), [&] {
      std::atomic<int> next{0};
      test::while_preempted(processors, 100, [&](const std::atomic<bool>& stop) {
        const int mine = next++;
        while (!stop) {
          try {
            throw mine;
          } catch (int thrown) {
            test::spin(1000);
            if (thrown != mine || !std::current_exception() || std::uncaught_exceptions() != 0) e(false);
          }
        }
      });
      e(true);
    });
    e.report();
  });
}

TEST_CASE("preemption: a fiber's own signal mask stays its own, and holds nobody up" * doctest::skip(k_no_signals)) {
  for (const int signal : {SIGUSR2, SIGURG}) {
    CAPTURE(signal);
    test::for_processors({1, 2}, [&](unsigned processors) {
      expect e;
      run(test::on(processors), [&] {
        test::while_preempted(processors, 20, [&](const std::atomic<bool>& stop) {
          const int thread = ::gettid();
          change_mask(SIG_BLOCK, signal);
          while (!stop) {
            test::spin(1000);
            if (!is_blocked(signal) || ::gettid() != thread) e(false);
          }
          change_mask(SIG_UNBLOCK, signal);
        });
        e(!is_blocked(signal));
      });
      e.report();
    });
  }
}

TEST_CASE("preemption: a std::mutex whose holder is preempted, and a hundred who want it, on one processor" *
          doctest::skip(k_no_signals)) {
  constexpr int k_others = 100;
  in_fiber({1}, [](expect& e) {
    std::mutex m;
    std::atomic<int> wanting{0};
    int entered = 0;
    wait_group all;
    all.go([&] {
      const std::lock_guard hold(m);
      while (wanting.load(std::memory_order_relaxed) < k_others) test::spin(1);  // they must run for this to end
      ++entered;
    });
    for (int i = 0; i < k_others; ++i)
      all.go([&] {
        ++wanting;
        const std::lock_guard hold(m);
        ++entered;
      });
    all.wait();
    e.equal(entered, k_others + 1);
  });
}

TEST_CASE("preemption: run again after run, with no thread left behind" * doctest::skip(k_no_signals)) {
  for (int round = 0; round < 10; ++round) {
    const unsigned processors = 1 + round % 2;
    expect e;
    run(test::on(processors), [&] {
      test::hogs hogs(processors * 3);
      hogs.await_turns();
      const pipe_pair p;
      auto reader = spawn([&] { return p.read(); });
      this_fiber::sleep_for(1ms);
      p.write('x');
      e.equal(reader.join(), 'x');
    });
    e.report();
    test::await_no_weft_threads();
  }
}
