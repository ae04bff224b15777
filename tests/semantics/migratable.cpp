// Migratable fibers: interrupted in the middle of a computation, they leave their thread and go on on another.
//
// ThreadSanitizer: no signals there, so none is interrupted.
#include <unistd.h>

#include <algorithm>
#include <cfenv>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <set>
#include <stop_token>
#include <vector>

#include "tests/support/live_registers.hpp"
#include "tests/support/preemption.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

namespace {

using test::k_no_signals;
// clang links AddressSanitizer into the program itself, which then counts as a library.
#if defined(__clang__)
constexpr bool k_never_leaves = k_no_signals || WEFT_ASAN != 0;
#else
constexpr bool k_never_leaves = k_no_signals;
#endif
const spawn_options k_migratable{.migratable = true};

std::uint64_t migrations() { return runtime::preempt_stats().migrated; }

// A loop without a call, until a migratable fiber has left its thread so often since.
[[gnu::noinline]] void spin_until_migrated(std::uint64_t since, std::uint64_t times) {
  while (migrations() < since + times) test::spin(1000);
}

}  // namespace

TEST_CASE("migratable: it goes on on other threads" * doctest::skip(k_never_leaves)) {
  expect e;
  run(test::on(2), [&] {
    std::atomic<std::size_t> most{0};
    test::while_preempted(4, 1, k_migratable, [&](const std::atomic<bool>&) {
      std::set<int> threads;
      while (most < 2) {
        threads.insert(::gettid());
        test::spin(10'000);
        if (threads.size() > most) most = threads.size();
      }
    });
    e(most >= 2);
  });
  e.report();
}

TEST_CASE("migratable: a hundred of them in loops take turns, on no more threads than a few" *
          doctest::skip(k_never_leaves)) {
  // A fiber that is interrupted elsewhere keeps its thread, as any other: seldom.
  runtime_options few = test::on(2);
  few.max_threads = 20;
  expect e;
  run(few, [&] {
    constexpr unsigned k_hogs = 100;
    test::hogs hogs(k_hogs, k_migratable);
    hogs.await_turns();
    const auto before = migrations();
    hogs.await_turns();
    e(migrations() > before);
  });
  e.report();
}

TEST_CASE("migratable: every register stays, bit for bit, over a thousand moves" * doctest::skip(k_never_leaves)) {
  const auto moves = static_cast<std::uint64_t>(test::scale(1000));
  for (const test::register_set& set : test::register_sets()) {
    CAPTURE(set.name);
    test::for_processors({1, 2}, [&](unsigned processors) {
      expect e;
      run(test::on(processors), [&] {
        std::atomic<std::uint64_t> seed{1};
        std::atomic<bool> enough{false};
        wait_group all;
        all.add(static_cast<int>(processors) + 1);
        for (unsigned i = 0; i <= processors; ++i)
          go(k_migratable, [&] {
            while (!enough)
              if (!test::registers_survive(set, ++seed, 20'000)) e(false);
            all.done();
          });
        for (const auto since = migrations(); migrations() < since + moves;) this_fiber::sleep_for(100us);
        enough = true;
        all.wait();
        e(seed > 1);
      });
      e.report();
    });
  }
}

TEST_CASE("migratable: the next fiber finds the control words as a program begins with them" *
          doctest::skip(k_never_leaves)) {
  expect e;
  run(test::on(1), [&] {
    const auto since = migrations();
    std::atomic<bool> upward{false};
    auto loop = [&] {
      std::fesetround(FE_UPWARD);
      upward = true;
      spin_until_migrated(since, 100);
      e.equal(std::fegetround(), FE_UPWARD);
      std::fesetround(FE_TONEAREST);
    };
    wait_group all;
    all.add(1);
    go(k_migratable, [&] {
      loop();
      all.done();
    });
    while (migrations() < since + 100) {
      this_fiber::sleep_for(100us);
      go([&] { e.equal(std::fegetround(), FE_TONEAREST); });  // on a stack that may be new
      e.equal(std::fegetround(), FE_TONEAREST);
    }
    all.wait();
    e(upward);
  });
  e.report();
}

TEST_CASE("migratable: exceptions caught and in flight go along" * doctest::skip(k_never_leaves)) {
  struct in_flight {
    expect& e;
    int mine;
    ~in_flight() {
      test::spin(1000);
      if (std::uncaught_exceptions() != 1) e(false);
    }
  };
  test::for_processors({1, 2}, [](unsigned processors) {
    expect e;
    run(test::on(processors), [&] {
      std::atomic<int> next{0};
      const auto since = migrations();
      test::while_preempted(processors + 1, 200, k_migratable, [&](const std::atomic<bool>& stop) {
        const int mine = next++;
        while (!stop) {
          try {
            const in_flight here{e, mine};
            throw mine;
          } catch (int thrown) {
            test::spin(1000);
            if (thrown != mine || !std::current_exception() || std::uncaught_exceptions() != 0) e(false);
          }
        }
      });
      e(migrations() > since);
    });
    e.report();
  });
}

TEST_CASE("migratable: with a library's function under way it keeps its thread" * doctest::skip(k_no_signals)) {
  expect e;
  run(test::on(2), [&] {
    std::atomic<int> sorted{0};
    test::while_preempted(3, 1, k_migratable, [&](const std::atomic<bool>&) {
      struct comparisons {
        int thread = 0;
        bool moved = false;
      };
      while (sorted < 20) {
        std::vector<int> numbers(64);
        std::iota(numbers.rbegin(), numbers.rend(), 0);
        comparisons made;
        ::qsort_r(
            numbers.data(), numbers.size(), sizeof(int),
            [](const void* a, const void* b, void* p) {
              auto& c = *static_cast<comparisons*>(p);
              if (c.thread == 0) c.thread = ::gettid();
              test::spin(20'000);
              if (::gettid() != c.thread) c.moved = true;
              return *static_cast<const int*>(a) - *static_cast<const int*>(b);
            },
            &made);
        if (made.moved || !std::ranges::is_sorted(numbers)) e(false);
        ++sorted;
      }
    });
    e(sorted >= 20);
  });
  e.report();
}

TEST_CASE("migratable: locked to its thread it stays there" * doctest::skip(k_no_signals)) {
  expect e;
  run(test::on(2), [&] {
    test::while_preempted(3, 100, k_migratable, [&](const std::atomic<bool>& stop) {
      lock_os_thread();
      const int thread = ::gettid();
      while (!stop) {
        test::spin(10'000);
        if (::gettid() != thread) e(false);
      }
      unlock_os_thread();
    });
    e(true);
  });
  e.report();
}

TEST_CASE("migratable: a cancel reaches one that polls, and one in interruptible, on whatever thread" *
          doctest::skip(k_no_signals)) {
  test::for_processors({1, 2}, [](unsigned processors) {
    expect e;
    run(test::on(processors), [&] {
      test::hogs others(processors, k_migratable);
      for (int round = 0; round < 20; ++round) {
        auto scope = with_cancel(background());
        std::atomic<bool> unwound{false};
        std::error_code left;
        wait_group all;
        all.add(2);
        const spawn_options bound{.bound = scope.ctx, .migratable = true};
        go(bound, [&] {
          defer done([&] { all.done(); });
          defer seen([&] { unwound = true; });
          for (;;) {
            test::spin(100);
            this_fiber::poll();
          }
        });
        go(bound, [&] {
          defer done([&] { all.done(); });
          left = error_of(interruptible([] {
            for (;;) asm volatile("" ::: "memory");
          }));
        });
        this_fiber::sleep_for(2ms);
        scope.cancel();
        all.wait();
        e(unwound);
        e(left == errc::canceled);
      }
    });
    e.report();
  });
}

TEST_CASE("migratable: a stop callback that destroys itself does not wait for itself" * doctest::skip(k_no_signals)) {
  test::for_processors({1, 2}, [](unsigned processors) {
    expect e;
    run(test::on(processors), [&] {
      std::atomic<int> ended{0};
      test::while_preempted(processors + 1, 1, k_migratable, [&](const std::atomic<bool>&) {
        while (ended < 20) {
          const auto scope = with_cancel(background());
          struct callback {
            std::optional<std::stop_callback<callback>>* self;
            std::atomic<int>* ended;
            void operator()() const {
              test::spin(3'000'000);
              ++*ended;
              self->reset();
            }
          };
          std::optional<std::stop_callback<callback>> on_stop;
          on_stop.emplace(scope.ctx.stop_token(), callback{&on_stop, &ended});
          scope.cancel();
        }
      });
      e(ended >= 20);
    });
    e.report();
  });
}
