// Bubbles: a clock of their own, and what counts as durably blocked.
#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>
#include <weft/io.hpp>
#include <weft/net.hpp>
#include <weft/synctest.hpp>

#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using namespace std::chrono_literals;
using synctest::bubble;

namespace {

const clock::time_point k_beginning{std::chrono::seconds(946'684'800)};

// Runs `body(expect&)` in a bubble, on each number of processors.
template <class F>
void in_bubble(F&& body) {
  test::for_processors({1, 2, 4}, [&](unsigned processors) {
    test::expect seen;
    run(test::on(processors), [&] { bubble([&] { body(seen); }); });
    seen.report();
  });
}

struct attempt {
  clock::duration at;
  std::string how;
  bool operator==(const attempt&) const = default;
};

// A client that tries again, each time twice as late, until a day is over; the server takes a minute for each answer.
std::vector<attempt> retry_for_a_day() {
  std::vector<attempt> log;
  bubble([&] {
    const auto began = clock::now();
    chan<chan<int>> requests;
    wait_group server;
    server.go([=] {
      int n = 0;
      for (chan<int> reply : requests) {
        this_fiber::sleep_for(1min);
        reply.try_send(++n);
      }
    });
    auto [ctx, cancel] = with_timeout(background(), 24h);
    auto pause = 1s;
    for (bool more = true; more; pause *= 2) {
      chan<int> reply{1};
      requests.send(reply);
      const auto within_reach = with_timeout(ctx, 50s);
      const result<int> r = reply.recv(within_reach);
      log.push_back({clock::now() - began, error_of(r).message()});
      more = sleep_for(ctx, pause).has_value();
    }
    log.push_back({clock::now() - began, ctx.err().message()});
    requests.close();
    server.wait();
  });
  return log;
}

}  // namespace

TEST_CASE("bubble: the clock begins at a fixed instant, and a sleep takes exactly its time") {
  in_bubble([](test::expect& seen) {
    seen(clock::now() == k_beginning);
    this_fiber::sleep_for(24h * 365);
    seen(clock::now() == k_beginning + 24h * 365);
    this_fiber::sleep_until(k_beginning);
    seen(clock::now() == k_beginning + 24h * 365);
  });
}

TEST_CASE("bubble: a day of retries is over at once, and the same a thousand times") {
  std::vector<attempt> first = retry_for_a_day();
  REQUIRE(first.size() > 5);
  CHECK(first.front().at == 50s);
  CHECK(first.back() == attempt{24h, make_error_code(errc::deadline_exceeded).message()});
  for (long i = test::scale(1000); i > 0; --i) REQUIRE(retry_for_a_day() == first);
}

TEST_CASE("bubble: gives the value of f, and its exception") {
  CHECK(bubble([] { return 42; }) == 42);
  CHECK(*bubble([] { return std::make_unique<int>(7); }) == 7);
  CHECK_THROWS_WITH(bubble([] { throw std::runtime_error("from inside"); }), "from inside");
  run([] { bubble([] {}); });
}

TEST_CASE("bubble: from a fiber, from a thread of others, and from one where no runtime runs") {
  const auto elapsed = [] {
    return bubble([] {
      this_fiber::sleep_for(1h);
      return clock::now() - k_beginning;
    });
  };
  CHECK(elapsed() == 1h);
  test::in_fiber([&](test::expect& seen) {
    seen.equal(elapsed() == 1h, true);
    test::foreign other([&] { seen.equal(elapsed() == 1h, true); });
    other.join();
    seen(clock::now() < k_beginning);  // the real one counts from the machine's start
  });
}

TEST_CASE("bubble: every wait that only the bubble can end lets the clock jump") {
  in_bubble([](test::expect& seen) {
    chan<int> in, out, unused, two[2];
    mutex m;
    condition_variable changed;
    bool change = false;
    semaphore units{1};
    wait_group pending, all;
    pending.add(1);
    units.acquire();
    auto [ctx, cancel] = with_cancel(background());
    auto [late, cancel_late] = with_timeout(background(), 1h);
    task<void> slow = spawn([] { this_fiber::sleep_for(1h); });
    const auto until_an_hour = [&](std::function<void()> f) {
      all.go([&seen, f = std::move(f)] {
        f();
        seen(clock::now() == k_beginning + 1h);
      });
    };
    until_an_hour([&] { in.recv(); });
    until_an_hour([&] { out.send(1); });
    until_an_hour([&] { static_cast<void>(unused.recv(late)); });
    until_an_hour([&] { select(recv(two[0]), recv(two[1])); });
    until_an_hour([&] { select(recv(two[0]), after(1h)); });
    until_an_hour([&] { ctx.done().recv(); });
    until_an_hour([&] { slow.join(); });
    until_an_hour([&] { pending.wait(); });
    until_an_hour([&] { units.acquire(); });
    until_an_hour([&] {
      std::unique_lock hold(m);
      changed.wait(hold, [&] { return change; });
    });
    until_an_hour([&] { static_cast<void>(chan<int>(nullptr).recv(ctx)); });
    until_an_hour([&] { this_fiber::sleep_for(1h); });
    until_an_hour([&] { static_cast<void>(sleep_for(ctx, 2h)); });
    this_fiber::sleep_for(1h);
    in.send(1);
    out.recv();
    two[1].send(1);
    pending.done();
    units.release();
    {
      const std::lock_guard hold(m);
      change = true;
    }
    changed.notify_all();
    synctest::wait();
    cancel();
    all.wait();
  });
}

TEST_CASE("bubble: timers, tickers, after_func and deadlines follow its clock") {
  in_bubble([](test::expect& seen) {
    timer t(1h);
    seen(t.stop());
    seen(!t.reset(2h));
    seen(t.recv() == k_beginning + 2h);
    ticker every(10min);
    for (int i = 1; i <= 6; ++i) seen(every.recv() == k_beginning + 2h + i * 10min);
    clock::time_point ran;
    timer soon = after_func(1h, [&] { ran = clock::now(); });
    auto [ctx, cancel] = with_timeout(background(), 90min);
    seen(ctx.deadline() == k_beginning + 3h + 90min);
    ctx.done().recv();
    seen(ran == k_beginning + 4h);
    seen(clock::now() == k_beginning + 3h + 90min);
    seen(ctx.err() == errc::deadline_exceeded);
    seen(error_of(within(1h, [] { return sleep_for(this_fiber::context(), 2h); })) == errc::deadline_exceeded);
    seen(clock::now() == k_beginning + 4h + 90min);
  });
}

TEST_CASE("bubble: wait returns when all others are blocked, and no time passes") {
  in_bubble([](test::expect& seen) {
    int steps = 0;
    chan<void> next;
    go([&] {
      for (;; ++steps) {
        for (int i = 0; i < 20; ++i) this_fiber::yield();
        if (!next.recv()) return;
      }
    });
    go([] { this_fiber::sleep_for(1h); });
    for (int i = 0; i < 50; ++i) {
      synctest::wait();
      seen.equal(steps, i);
      next.send();
    }
    synctest::wait();
    seen(clock::now() == k_beginning);
    next.close();
    synctest::wait();
    this_fiber::sleep_for(1h);
  });
}

TEST_CASE("bubble: wait goes before the clock; one fiber at a time, and only inside") {
  in_bubble([](test::expect& seen) {
    std::atomic<int> refused{0}, returned{0};
    wait_group all;
    for (int i = 0; i < 2; ++i)
      all.go([&] {
        try {
          synctest::wait();
          ++returned;
        } catch (const std::logic_error&) {
          ++refused;
        }
        seen(clock::now() == k_beginning);
      });
    all.wait();
    seen.equal(returned + refused, 2);
    seen(returned >= 1);
  });
  CHECK_THROWS_AS(synctest::wait(), std::logic_error);
  test::in_fiber([](test::expect& seen) { seen.throws<std::logic_error>([] { synctest::wait(); }); });
}

TEST_CASE("bubble: wait ends when the bound context is cancelled") {
  in_bubble([](test::expect& seen) {
    auto [ctx, cancel] = with_cancel(background());
    bool unwound = false;
    wait_group all;
    all.go(ctx, [&] {
      const defer note([&] { unwound = true; });
      for (;;) {
        synctest::wait();
        this_fiber::sleep_for(1s);
      }
    });
    this_fiber::sleep_for(10s);
    cancel();
    all.wait();
    seen(unwound);
  });
}

TEST_CASE("bubble: a wait for the outside keeps the clock where it is") {
  test::in_fiber([](test::expect& seen) {
    chan<int> outside, also_outside;
    chan<void> about_to;
    task<void> inside = spawn([&] {
      bubble([&] {
        wait_group sleeper;
        sleeper.go([&] {
          this_fiber::sleep_for(1h);
          seen(clock::now() == k_beginning + 1h);
        });
        about_to.close();
        seen(outside.recv() == 1);
        seen(clock::now() == k_beginning);
        chan<int> own;
        seen.equal(select(recv(own), recv(also_outside)), 1);
        seen(clock::now() == k_beginning);
        sleeper.wait();
      });
    });
    about_to.recv();
    test::settle();
    outside.send(1);
    test::settle();
    also_outside.send(2);
    inside.join();
  });
}

TEST_CASE("bubble: a mutex that is held, and blocking, keep the clock where it is") {
  test::in_fiber([](test::expect& seen) {
    chan<void> release_it;
    mutex m;
    task<void> inside = spawn([&] {
      bubble([&] {
        wait_group all;
        m.lock();
        all.go([&] {
          const std::lock_guard hold(m);
          seen(clock::now() == k_beginning);
        });
        all.go([&] {
          this_fiber::sleep_for(1h);
          seen(clock::now() == k_beginning + 1h);
        });
        release_it.recv();
        m.unlock();
        blocking([&] { seen(clock::now() == k_beginning); });
        all.wait();
      });
    });
    test::settle();
    release_it.close();
    inside.join();
  });
}

TEST_CASE("bubble: when all are blocked it throws deadlock, which names them, after their destructors") {
  test::in_fiber([](test::expect& seen) {
    std::atomic<int> unwound{0};
    std::string text;
    try {
      bubble([&] {
        const defer note([&] { ++unwound; });
        chan<int> nobody;
        go({.name = "lonely"}, [&, nobody] {
          const defer also([&] { ++unwound; });
          nobody.send(1);
        });
        wait_group never;
        never.add(1);
        const defer in_order([&] { never.done(); });
        never.wait();
      });
    } catch (const synctest::deadlock& d) {
      text = d.what();
    }
    seen.equal(unwound.load(), 2);
    seen(text.find("'lonely', waiting: channel send, spawned at tests/semantics/synctest.cpp:") != text.npos);
    seen(text.find("waiting: wait group") != text.npos);
    seen(text.find("and no timer is set") != text.npos);
  });
}

TEST_CASE("bubble: once f has returned the clock stands, and who sleeps is ended") {
  test::in_fiber([](test::expect& seen) {
    std::atomic<bool> unwound{false};
    std::string text;
    test::told_why told;
    try {
      bubble([&] {
        go([&] {
          const defer note([&] {
            this_fiber::sleep_for(100ms);  // shielded
            unwound = true;
          });
          told.sleep();
        });
      });
    } catch (const synctest::deadlock& d) {
      text = d.what();
    }
    seen(unwound);
    seen(told.code == errc::canceled);
    seen(told.why.starts_with("the bubble has ended"));
    seen(text.find("its main function has returned") != text.npos);
    // Whoever can go on does.
    int left = 100;
    bubble([&] {
      go([&] {
        while (left > 0) {
          this_fiber::yield();
          --left;
        }
      });
    });
    seen.equal(left, 0);
  });
}

TEST_CASE("bubble: an exception of f ends the others, and comes out") {
  test::in_fiber([](test::expect& seen) {
    std::atomic<int> unwound{0};
    seen.throws<std::out_of_range>([&] {
      bubble([&] {
        for (int i = 0; i < 10; ++i)
          go([&] {
            const defer note([&] { ++unwound; });
            chan<int>().recv();
          });
        synctest::wait();
        throw std::out_of_range("");
      });
    });
    seen.equal(unwound.load(), 10);
  });
}

TEST_CASE("bubble: the network, descriptors, signals and another bubble are refused inside") {
  test::in_fiber([](test::expect& seen) {
    const net::listener outside = unwrap(net::listen("tcp", "127.0.0.1:0"));
    bubble([&] {
      seen.throws<std::logic_error>([&] { static_cast<void>(outside.accept()); });
      seen.throws<std::logic_error>([] { static_cast<void>(net::listen("tcp", "127.0.0.1:0")); });
      seen.throws<std::logic_error>([] { static_cast<void>(net::dial("unix", "/nowhere")); });
      seen.throws<std::logic_error>([] { static_cast<void>(net::resolve("tcp", "localhost:80")); });
      seen.throws<std::logic_error>([] { static_cast<void>(wait_readable(0)); });
    });
  });
  in_bubble([](test::expect& seen) {
    seen.throws<std::logic_error>([] { bubble([] {}); });
    chan<int> c{1};
    seen.throws<std::logic_error>([&] { signals::notify(c, {SIGUSR1}); });
    seen.throws<std::logic_error>([&] { static_cast<void>(signals::notify_context(background(), {SIGUSR1})); });
  });
}

TEST_CASE("bubble: who is woken from outside is told") {
  test::in_fiber([](test::expect& seen) {
    chan<chan<int>> outside;
    chan<void> sent;
    task<void> inside = spawn([&] {
      seen.throws<std::logic_error>([&] {
        bubble([&] {
          chan<int> own;
          go([&seen, own] { seen(own.recv() == 1); });
          synctest::wait();
          outside.send(own);
          sent.recv();
        });
      });
    });
    test::foreign([&, c = *outside.recv()] {
      c.send(1);
      sent.close();
    });
    inside.join();
  });
}

TEST_CASE("bubble: two at once have clocks of their own") {
  test::in_fiber({1, 2, 4}, [](test::expect& seen) {
    wait_group all;
    for (const auto step : {1s, 60s, 3600s})
      all.go([&seen, step] {
        bubble([&] {
          for (int i = 1; i <= 200; ++i) {
            this_fiber::sleep_for(step);
            seen(clock::now() == k_beginning + i * step);
          }
        });
      });
    all.wait();
  });
}

TEST_CASE("bubble: timers of the outside that fire meanwhile stay outside") {
  test::in_fiber({1, 2, 4}, [](test::expect& seen) {
    constexpr int k_timers = 100;
    std::atomic<int> fired{0};
    std::vector<timer> real;
    for (int i = 0; i < k_timers; ++i)
      real.push_back(after_func(std::chrono::microseconds(50 * i), [&] {
        seen(clock::now() < k_beginning);
        ++fired;
      }));
    ticker ticks(100us);
    bubble([&] {
      while (fired < k_timers) {
        this_fiber::sleep_for(1h);
        this_fiber::yield();
      }
    });
    for (int i = 0; i < 3; ++i) seen(*ticks.recv() < k_beginning);
  });
}

TEST_CASE("bubble: fibers that sleep at random times wake in the order of their times") {
  for (long round = test::scale(20); round > 0; --round)
    in_bubble([round](test::expect& seen) {
      constexpr int k_fibers = 100, k_sleeps = 20;
      test::random random(static_cast<std::uint64_t>(round));
      std::atomic<std::int64_t> latest{0};
      wait_group all;
      for (int i = 0; i < k_fibers; ++i)
        all.go([&, seed = random.below(1'000'000)] {
          test::random mine(seed);
          for (int n = 0; n < k_sleeps; ++n) {
            const auto until = clock::now() + std::chrono::milliseconds(1 + mine.below(1000));
            this_fiber::sleep_until(until);
            seen(clock::now() == until);
            const std::int64_t now = until.time_since_epoch().count();
            seen(latest.exchange(now) <= now);
          }
        });
      all.wait();
    });
}
