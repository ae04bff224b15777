// Foreign threads: everything but this_fiber works there too, and blocks the thread.
#include <list>
#include <mutex>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;
using namespace std::chrono_literals;

TEST_CASE("foreign: sends to and receives from fibers") {
  in_fiber([](expect& e) {
    const chan<int> in, out{4};
    test::foreign thread([in, out] {
      for (const int v : in) out.send(v * 2);
      out.close();
    });
    auto feeder = spawn([in] {
      for (int i = 0; i < 1000; ++i) in.send(i);
      in.close();
    });
    int next = 0;
    for (const int v : out) e.equal(v, 2 * next++);
    e.equal(next, 1000);
    feeder.join();
    thread.join();
  });
}

TEST_CASE("foreign: a task's handle that goes where the time is over waits for the task all the same") {
  in_fiber([](expect& e) {
    const chan<void> canceled, release;
    bool ended = false, outlived = false;
    test::foreign thread([&] {
      static_cast<void>(within(1ms, [&] {
        {
          const auto t = spawn([&] {
            shield([&] {
              this_fiber::context().done().recv();
              canceled.close();
              release.recv();
              ended = true;
            });
          });
          std::this_thread::sleep_for(2ms);
        }
        outlived = ended;
      }));
    });
    canceled.recv();
    release.close();
    thread.join();
    e(outlived);
  });
}

TEST_CASE("foreign: two threads meet over a channel, with fibers in between") {
  in_fiber([](expect& e) {
    const chan<int> c;
    long sum = 0;
    test::foreign sender([c] {
      for (int i = 0; i < 500; ++i) c.send(i);
      c.close();
    });
    test::foreign receiver([c, &sum] {
      for (const int v : c) sum += v;
    });
    sender.join();
    receiver.join();
    e.equal(sum, 499 * 500 / 2);
  });
}

TEST_CASE("foreign: selects, with time-outs, sends and otherwise") {
  in_fiber([](expect& e) {
    const chan<int> a, b, never;
    test::foreign thread([&] {
      e.equal(select(recv(never), otherwise()), 1);
      const auto begin = clock::now();
      e.equal(select(recv(never), after(2ms)), 1);
      e(clock::now() - begin >= 2ms);
      std::optional<int> got;
      e.equal(select(recv(never), recv(a, got)), 1);
      e.equal(got, std::optional(1));
      e.equal(select(send(b, 2), recv(never)), 0);
    });
    a.send(1);
    e.equal(b.recv(), std::optional(2));
    thread.join();
  });
}

TEST_CASE("foreign: locks what fibers lock") {
  in_fiber({1, 4}, [](expect& e) {
    mutex m;
    int total = 0;
    const auto work = [&] {
      for (int i = 0; i < 500; ++i) {
        const std::lock_guard lock(m);
        ++total;
      }
    };
    test::foreign one(work), two(work);
    auto three = spawn(work), four = spawn(work);
    one.join();
    two.join();
    three.join();
    four.join();
    e.equal(total, 2000);
  });
}

TEST_CASE("foreign: waits for a mutex held by a fiber, and may give up") {
  in_fiber([](expect& e) {
    mutex m;
    m.lock();
    test::foreign impatient([&] {
      auto scope = with_timeout(background(), 2ms);
      e(error_of(m.lock(scope)) == errc::deadline_exceeded);
    });
    impatient.join();
    std::atomic<bool> has{false};
    test::foreign patient([&] {
      m.lock();
      has = true;
      m.unlock();
    });
    test::settle();
    e(!has);
    m.unlock();
    patient.join();
    e(has.load());
  });
}

TEST_CASE("foreign: waits for a wait_group of fibers, and is waited for") {
  in_fiber([](expect& e) {
    wait_group fibers, threads;
    std::atomic<int> ran{0};
    const chan<void> begin;
    fibers.add(20);
    for (int i = 0; i < 20; ++i)
      go([&, begin] {
        begin.recv();
        ++ran;
        fibers.done();
      });
    threads.add(3);
    std::atomic<int> seen{0};
    std::list<test::foreign> waiting;
    for (int i = 0; i < 3; ++i)
      waiting.emplace_back([&] {
        fibers.wait();
        seen += ran;
        threads.done();
      });
    begin.close();
    threads.wait();
    e.equal(seen.load(), 60);
  });
}

TEST_CASE("foreign: spawns, joins and starts fibers") {
  in_fiber([](expect& e) {
    std::atomic<int> ran{0};
    test::foreign thread([&] {
      auto t = spawn([] {
        this_fiber::yield();
        return 5;
      });
      e.equal(t.join(), 5);
      auto thrower = spawn([]() -> int { throw std::runtime_error("out"); });
      e.throws<std::runtime_error>([&] { thrower.join(); });
      wait_group all;
      for (int i = 0; i < 100; ++i) all.go([&] { ++ran; });
      all.wait();
    });
    thread.join();
    e.equal(ran.load(), 100);
  });
}

TEST_CASE("foreign: cancels fibers, and its own waits are cancelled by fibers") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    const cancel_func& stop = cancel;
    auto sleeper = spawn(ctx, [] { this_fiber::sleep_for(1h); });
    test::settle();
    test::foreign canceller([&stop] { stop(); });
    e.throws<canceled>([&] { sleeper.join(); });
    canceller.join();

    auto other = with_cancel(background());
    const chan<int> never;
    std::error_code code, slept;
    test::foreign waiting([&] { code = error_of(never.recv(other)); });
    test::foreign sleeping([&] { slept = error_of(sleep_for(other, 1h)); });
    test::settle();
    other.cancel();
    waiting.join();
    sleeping.join();
    e(code == errc::canceled);
    e(slept == errc::canceled);
    e(!never.try_send(1));
  });
}

TEST_CASE("foreign: a task owned by a thread is cancelled and joined by its destructor") {
  in_fiber([](expect& e) {
    test::tally inside;
    test::foreign thread([&] {
      auto t = spawn([&] {
        const test::counted here(inside);
        this_fiber::sleep_for(1h);
      });
      while (inside.made == 0) std::this_thread::yield();
    });
    thread.join();
    e.equal(inside.alive(), 0);
    e.equal(inside.made, 1);
  });
}

TEST_CASE("foreign: several at once, every value once") {
  in_fiber({1, 2, 4, 8}, [](expect& e) {
    constexpr int k_threads = 4, k_each = 2000;
    const chan<int> c{8};
    std::atomic<long> sum{0}, count{0};
    std::list<test::foreign> senders;
    for (int t = 0; t < k_threads; ++t)
      senders.emplace_back([c, t] {
        for (int i = 0; i < k_each; ++i) c.send(t * k_each + i);
      });
    std::vector<task<void>> receivers;
    for (int r = 0; r < 4; ++r)
      receivers.push_back(spawn([&, c] {
        for (const int v : c) {
          sum += v;
          ++count;
        }
      }));
    for (auto& s : senders) s.join();
    c.close();
    for (auto& r : receivers) r.join();
    constexpr long k_total = static_cast<long>(k_threads) * k_each;
    e.equal(count.load(), k_total);
    e.equal(sum.load(), k_total * (k_total - 1) / 2);
  });
}
