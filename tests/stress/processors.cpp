// set_processors while everything else goes on: nothing is lost and nothing done twice, and the number is in force when
// it returns.
#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

// Fibers that count how many of them run at the same time, where nothing interrupts them. What one saw belongs to the
// round in which it came in, whenever it gets to say so.
class crowd {
 public:
  explicit crowd(long rounds) : most_(static_cast<std::size_t>(rounds) + 1) {}
  void be_seen() {
    const no_preempt here;
    std::atomic<int>& most = most_[round_.load()];
    const int n = ++inside_;
    for (int seen = most; n > seen && !most.compare_exchange_weak(seen, n);) {
    }
    for (int i = 0; i < 200; ++i) spun_.fetch_add(1, std::memory_order_relaxed);
    --inside_;
  }
  void begin_round() { ++round_; }
  int most_in_round() const { return most_[round_]; }

 private:
  std::atomic<int> inside_{0};
  std::atomic<std::size_t> round_{0};
  std::vector<std::atomic<int>> most_;
  std::atomic<long> spun_{0};
};

}  // namespace

TEST_CASE("set_processors: gives the number before; 0 only asks; a bad one is named") {
  in_fiber({1, 3}, [](expect& e) {
    const unsigned before = set_processors(0);
    e.equal(set_processors(0), before);
    e.equal(set_processors(4), before);
    e.equal(set_processors(4), 4u);
    e.equal(set_processors(1), 4u);
    e.equal(set_processors(0), 1u);
    try {
      set_processors(1025);
      e(false);
    } catch (const std::invalid_argument& error) {
      e(std::string(error.what()).find("1025") != std::string::npos);
    }
    test::foreign outside([&] { e.equal(set_processors(2), 1u); });
    outside.join();
    blocking([&] { e.equal(set_processors(3), 2u); });
    e.equal(set_processors(0), 3u);
  });
  CHECK_THROWS_AS(set_processors(1), std::logic_error);
  CHECK_THROWS_AS(set_processors(0), std::logic_error);
}

TEST_CASE("set_processors: no more than that run at once when it has returned") {
  in_fiber({1, 4}, [](expect& e) {
    const long rounds = test::scale(300);
    crowd all(rounds);
    all.be_seen();  // a page that is not in memory yet would block a thread, and that may lose its processor
    std::atomic<bool> end{false};
    wait_group fibers;
    for (int i = 0; i < 12; ++i)
      fibers.go([&] {
        while (!end) {
          all.be_seen();
          this_fiber::yield();
        }
      });
    test::random random(7);
    for (long round = rounds; round > 0; --round) {
      const unsigned n = 1 + random.below(6);
      set_processors(n);
      all.begin_round();
      for (int i = 0; i < 5; ++i) this_fiber::yield();
      e(all.most_in_round() <= static_cast<int>(n));
    }
    end = true;
    set_processors(3);
    fibers.wait();
  });
}

TEST_CASE("set_processors: as many run at once when it has returned") {
  in_fiber({1, 4}, [](expect& e) {
    for (long round = test::scale(200); round > 0; --round)
      for (const int n : {2, 5, 3, 1}) {
        set_processors(static_cast<unsigned>(n));
        std::atomic<int> inside{0};
        wait_group all;
        for (int i = 0; i < n; ++i)
          all.go([&] {
            const no_preempt here;
            ++inside;
            while (inside != n) std::this_thread::yield();
          });
        all.wait();
        e.equal(inside.load(), n);
      }
  });
}

TEST_CASE("set_processors: waits for fibers that may not be interrupted") {
  in_fiber({4}, [](expect& e) {
    for (long round = test::scale(50); round > 0; --round) {
      set_processors(4);
      std::atomic<int> inside{0};
      std::atomic<bool> released{false}, returned{false};
      wait_group all;
      for (int i = 0; i < 2; ++i)
        all.go([&] {
          const no_preempt here;
          ++inside;
          while (!released) std::this_thread::yield();
        });
      while (inside != 2) this_fiber::yield();
      test::foreign helper([&] {
        while (!returned) {
          const auto fibers = debug::fibers();
          const auto waits = [](const debug::fiber_info& f) { return f.wait_reason == "set_processors"; };
          if (!std::ranges::any_of(fibers, waits)) continue;
          released = true;
          return;
        }
      });
      set_processors(1);
      e(released);
      returned = released = true;
      helper.join();
      all.wait();
    }
  });
}

TEST_CASE("set_processors: up and down with nothing else to do") {
  in_fiber({1, 2, 4}, [](expect& e) {
    for (long round = test::scale(3000); round > 0; --round) {
      set_processors(2 + static_cast<unsigned>(round % 3));
      set_processors(1);
    }
    e.equal(set_processors(0), 1u);
  });
}

TEST_CASE("set_processors: what is set and queued on one that goes is moved") {
  in_fiber({8}, [](expect& e) {
    for (long round = test::scale(200); round > 0; --round) {
      set_processors(8);
      constexpr int k_each = 40;
      std::atomic<int> woken{0}, fired{0}, expired{0};
      wait_group all;
      for (int i = 0; i < k_each; ++i) {
        all.go([&] {
          this_fiber::sleep_for(1ms);
          ++woken;
        });
        all.go([&] {
          auto [ctx, cancel] = with_timeout(background(), 2ms);
          if (!chan<int>().recv(ctx)) ++expired;
        });
        all.go([&] {
          const chan<void> done{1};
          auto once = after_func(timespan(1ms), [&, done] {
            ++fired;
            done.send();
          });
          done.recv();
        });
      }
      set_processors(1);
      while (woken + fired + expired != 3 * k_each) this_fiber::yield();  // busy: it looks after its own timers alone
      all.wait();
      e.equal(woken.load(), k_each);
      e.equal(fired.load(), k_each);
      e.equal(expired.load(), k_each);
    }
  });
}

// Not where signals do not interrupt: the loop would never come to a point.
TEST_CASE("set_processors: loops without a call give way, and go on" * doctest::skip(WEFT_TSAN != 0)) {
  in_fiber({4}, [](expect& e) {
    for (long round = test::scale(15); round > 0; --round) {
      std::atomic<bool> end{false};
      std::array<std::atomic<long>, 6> turns{};
      wait_group loops;
      for (auto& t : turns)
        loops.go([&] {
          while (!end.load(std::memory_order_relaxed)) t.fetch_add(1, std::memory_order_relaxed);
        });
      set_processors(1);
      set_processors(5);
      set_processors(2);
      for (auto& t : turns) {
        const long before = t;
        while (t == before) this_fiber::yield();
      }
      set_processors(4);
      end = true;
      loops.wait();
      e(true);
    }
  });
}

TEST_CASE("set_processors: at random among channels, timers, spawns, blocking calls and loops; all is counted") {
  in_fiber({1, 2, 4}, [](expect& e) {
    std::atomic<bool> end{false};
    std::atomic<long> sent{0}, received{0}, spawned{0}, ran{0}, slept{0}, blocked{0};
    const chan<long> numbers{16};
    wait_group senders, others;
    for (int i = 0; i < 3; ++i) {
      senders.go([&, i] {
        for (long n = i; !end; n += 3) {
          numbers.send(n);
          sent += n;
        }
      });
      others.go([&] {
        for (const long n : numbers) received += n;
      });
    }
    others.go([&] {
      while (!end) {
        ++spawned;
        spawn([&] { ++ran; }).join();
      }
    });
    others.go([&] {
      while (!end) {
        this_fiber::sleep_for(100us);
        ++slept;
      }
    });
    others.go([&] {
      while (!end) {
        blocking([] { std::this_thread::sleep_for(50us); });
        ++blocked;
      }
    });
    others.go([&] {
      while (!end) std::this_thread::sleep_for(100us);  // blocks its thread, unannounced
    });
    std::atomic<long> looped{0};
    others.go([&] {
      while (!end.load(std::memory_order_relaxed)) {
        if (WEFT_TSAN != 0) this_fiber::poll();
        looped.fetch_add(1, std::memory_order_relaxed);
      }
    });
    test::foreign outside([&] {
      test::random random(11);
      while (!end) set_processors(1 + random.below(8));
    });
    test::random random(5);
    const auto all_go = [&] { return ran > 0 && received > 0 && slept > 0 && blocked > 0 && looped > 0; };
    for (long round = test::scale(1000); round > 0 || !all_go(); --round) {
      set_processors(1 + random.below(8));
      const unsigned now = set_processors(0);
      e(now >= 1 && now <= 8);
    }
    end = true;
    outside.join();
    senders.wait();
    numbers.close();
    others.wait();
    e.equal(received.load(), sent.load());
    e.equal(ran.load(), spawned.load());
  });
}
