// Preemption, over and over: what must not be lost, torn or left waiting.
//
// All of it counts; see support/preemption.hpp. ThreadSanitizer: no signals there, so what needs them is skipped.
#include "tests/support/preemption.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/storms/storms.hpp"
#include "tests/support/live_registers.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

namespace {

using test::k_no_signals;

class pipe_ends {
 public:
  pipe_ends() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("pipe");
  }
  ~pipe_ends() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  long read() const {
    long value = -1;
    return ::read(ends_[0], &value, sizeof value) == sizeof value ? value : -1;
  }
  void write(long value) const { static_cast<void>(!::write(ends_[1], &value, sizeof value)); }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace

TEST_CASE("preemption: a sleeper behind hogs, thousands of times" * doctest::skip(k_no_signals)) {
  const long naps = test::scale(1000);
  for (const unsigned each : {1u, 4u})
    for (const bool migratable : {false, true}) {
      INFO("hogs a processor: ", each, migratable ? ", migratable" : "");
      test::for_processors({1, 2, 4}, [&](unsigned processors) {
        long woken = 0;
        run(test::on(processors), [&] {
          test::hogs hogs(each * processors, {.migratable = migratable});
          for (; woken < naps; ++woken) this_fiber::sleep_for(1ms);
        });
        CHECK(woken == naps);
      });
    }
}

TEST_CASE("preemption: deadlines and foreign cancels of many fibers behind hogs" * doctest::skip(k_no_signals)) {
  const long rounds = test::scale(200);
  test::for_processors({1, 2, 4}, [&](unsigned processors) {
    constexpr int k_fibers = 20;
    expect e;
    run(test::on(processors), [&] {
      test::hogs hogs(2 * processors);
      const chan<int> never;
      for (long round = 0; round < rounds; ++round) {
        auto scope = with_cancel(background());
        wait_group all;
        std::atomic<int> canceled_ones{0}, late{0};
        for (int i = 0; i < k_fibers; ++i) {
          all.go([&] {
            if (error_of(never.recv(scope.ctx)) == errc::canceled) ++canceled_ones;
          });
          all.go([&, i] {
            const auto mine = with_timeout(background(), std::chrono::microseconds(100 * i));
            if (error_of(never.recv(mine.ctx)) == errc::deadline_exceeded) ++late;
          });
        }
        test::foreign thread([&] { scope.cancel(); });
        all.wait();
        thread.join();
        e.equal(canceled_ones.load(), k_fibers);
        e.equal(late.load(), k_fibers);
      }
    });
    e.report();
  });
}

TEST_CASE("preemption: registers, a hundred thousand times" * doctest::skip(k_no_signals)) {
  const auto& sets = test::register_sets();
  const long each = test::scale(100'000 / static_cast<long>(2 * 2 * sets.size()));
  for (const bool migratable : {false, true})
    for (const test::register_set& set : sets) {
      INFO(set.name, migratable ? ", migratable" : ", pinned");
      test::for_processors({1, 2}, [&](unsigned processors) {
        expect e;
        run(test::on(processors), [&] {
          std::atomic<std::uint64_t> seed{1};
          test::while_preempted(processors, each, {.migratable = migratable}, [&](const std::atomic<bool>& stop) {
            while (!stop)
              if (!test::registers_survive(set, ++seed, 50'000)) e(false);
          });
          e(seed > 1);
        });
        e.report();
      });
    }
}

TEST_CASE("preemption: many fibers, each with errno, a thread, exceptions and registers of its own" *
          doctest::skip(k_no_signals)) {
  test::in_fiber({1, 2, 4}, [](expect& e) { test::storm::preempted_computations(e, 32, test::scale(20), 0); });
}

TEST_CASE("preemption: locks of the standard library, held by fibers that are preempted" *
          doctest::skip(k_no_signals)) {
  const long rounds = test::scale(300);
  test::for_processors({1, 2, 4}, [&](unsigned processors) {
    constexpr int k_fibers = 16;
    std::mutex m;
    std::shared_mutex s;
    long under_m = 0, under_s = 0;
    std::atomic<bool> stop{false};
    run(test::on(processors), [&] {
      auto sleeper = spawn([&] {
        while (!stop) this_fiber::sleep_for(100us);
      });
      wait_group all;
      for (int fiber = 0; fiber < k_fibers; ++fiber)
        all.go([&] {
          for (long i = 0; i < rounds; ++i) {
            {
              const std::lock_guard hold(m);
              const long before = under_m;
              test::spin(20'000);
              under_m = before + 1;
            }
            {
              const std::unique_lock hold(s);
              const long before = under_s;
              test::spin(2'000);
              under_s = before + 1;
            }
            const std::shared_lock look(s);
            test::spin(2'000);
          }
        });
      all.wait();
      stop = true;
      sleeper.join();
    });
    CHECK(under_m == k_fibers * rounds);
    CHECK(under_s == k_fibers * rounds);
  });
}

TEST_CASE("preemption: locks, channels and selects of weft's, by fibers that loop between" *
          doctest::skip(k_no_signals)) {
  const long rounds = test::scale(3'000);
  test::for_processors({1, 2, 4}, [&](unsigned processors) {
    constexpr int k_pairs = 8;
    mutex m;
    long under_m = 0;
    std::atomic<long> sum{0};
    run(test::on(processors), [&] {
      test::hogs hogs(processors);
      const chan<long> unbuffered, buffered{16};
      wait_group senders, receivers;
      for (int pair = 0; pair < k_pairs; ++pair) {
        senders.go([&] {
          for (long i = 1; i <= rounds; ++i) {
            test::spin(500 * (i % 8));
            select(send(unbuffered, i), send(buffered, i));
            const std::lock_guard hold(m);
            const long before = under_m;
            test::spin(100);
            under_m = before + 1;
          }
        });
        receivers.go([&] {
          std::optional<long> v{0};
          long mine = 0;
          // Both are closed together, and what is still in the buffered one is received first.
          while (select(recv(unbuffered, v), recv(buffered, v)) >= 0) {
            if (!v) {
              while ((v = buffered.recv())) mine += *v;
              break;
            }
            mine += *v;
          }
          sum += mine;
        });
      }
      senders.wait();
      unbuffered.close();
      buffered.close();
      receivers.wait();
    });
    CHECK(under_m == k_pairs * rounds);
    CHECK(sum == k_pairs * rounds * (rounds + 1) / 2);
  });
}

TEST_CASE("preemption: fibers come and go behind hogs, and are joined" * doctest::skip(k_no_signals)) {
  const long rounds = test::scale(200);
  test::for_processors({1, 2, 4}, [&](unsigned processors) {
    std::atomic<long> ended{0};
    run(test::on(processors), [&] {
      test::hogs hogs(processors);
      for (long round = 0; round < rounds; ++round) {
        wait_group all;
        for (int i = 0; i < 50; ++i)
          all.go([&, i] {
            test::spin(1'000 * (i % 10));
            auto inner = spawn([&] {
              test::spin(1'000);
              ++ended;
            });
            inner.join();
            ++ended;
          });
        all.wait();
      }
    });
    CHECK(ended == 100 * rounds);
  });
}

TEST_CASE("preemption: undeclared reads, by more fibers than processors, lose nothing") {
  test::in_fiber({1, 2, 4}, [](expect& e) { test::storm::undeclared_reads(e, 10, test::scale(200)); });
}

TEST_CASE("preemption: detached fibers come back at once, by the dozen, into channels and spawns") {
  const long rounds = test::scale(100);
  test::for_processors({1, 2, 4}, [&](unsigned processors) {
    constexpr int k_fibers = 30;
    std::atomic<long> sum{0};
    run(test::on(processors), [&] {
      for (long round = 0; round < rounds; ++round) {
        const pipe_ends gate;
        const chan<long> out;
        wait_group all;
        for (int i = 0; i < k_fibers; ++i)
          all.go([&] {
            const long got = gate.read();
            auto child = spawn([=] { return got + 1; });
            out.send(child.join());
          });
        all.go([&] {
          for (int i = 0; i < k_fibers; ++i) gate.write(i);
        });
        for (int i = 0; i < k_fibers; ++i) sum += *out.recv();
        all.wait();
      }
    });
    CHECK(sum == rounds * k_fibers * (k_fibers + 1) / 2);
  });
}

// More loops than threads: those that have begun hold them all, so who else gets a turn is not promised. All of them
// end in the end.
TEST_CASE("preemption: three times as many long fibers as max_threads" * doctest::skip(k_no_signals)) {
  const long turns = test::scale(100'000'000);
  test::for_processors({1, 2}, [&](unsigned processors) {
    runtime_options options = test::on(processors);
    options.max_threads = 20;
    std::atomic<int> ended{0};
    run(options, [&] {
      wait_group all;
      for (int i = 0; i < 60; ++i)
        all.go([&] {
          test::spin(turns);
          ++ended;
        });
      all.wait();
    });
    CHECK(ended == 60);
  });
}

TEST_CASE("preemption: locked fibers hand each other a token" * doctest::skip(k_no_signals)) {
  const long rounds = test::scale(2'000);
  test::for_processors({1, 2, 4}, [&](unsigned processors) {
    constexpr std::size_t k_ring = 5;
    expect e;
    run(test::on(processors), [&] {
      test::hogs hogs(1);
      std::vector<chan<long>> links(k_ring);
      wait_group all;
      for (std::size_t i = 0; i < k_ring; ++i)
        all.go([&, i] {
          if (i % 2 == 0) lock_os_thread();
          const int thread = ::gettid();
          while (auto token = links[i].recv()) {
            if (i % 2 == 0 && ::gettid() != thread) e(false);
            if (i + 1 == k_ring && *token == rounds) break;
            links[(i + 1) % k_ring].send(i + 1 == k_ring ? *token + 1 : *token);
          }
          if (i + 1 == k_ring)
            for (std::size_t other = 0; other + 1 < k_ring; ++other) links[other].close();
          if (i % 2 == 0) unlock_os_thread();
        });
      links[0].send(1);
      all.wait();
      e(true);
    });
    e.report();
  });
}

TEST_CASE("preemption: run after run, hogs and undeclared reads each time" * doctest::skip(k_no_signals)) {
  const long rounds = test::scale(100);
  for (long round = 0; round < rounds; ++round) {
    long got = 0;
    run(test::on(1 + round % 3), [&] {
      test::hogs hogs(4);
      const pipe_ends p;
      auto reader = spawn([&] { return p.read(); });
      this_fiber::sleep_for(200us);
      p.write(round);
      got = reader.join();
    });
    REQUIRE(got == round);
    test::await_no_weft_threads();
  }
}
