// semaphore.
#include <stdexcept>

#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::await_waiting;
using test::expect;
using test::in_fiber;

TEST_CASE("semaphore: never more inside than there are units") {
  in_fiber({1, 2, 4}, [](expect& e) {
    semaphore s(3);
    std::atomic<int> inside{0}, done{0};
    wait_group all;
    for (int i = 0; i < 20; ++i)
      all.go([&] {
        s.acquire();
        e(++inside <= 3);
        this_fiber::yield();
        --inside;
        ++done;
        s.release();
      });
    all.wait();
    e.equal(done.load(), 20);
    e(s.try_acquire(3));
    e(!s.try_acquire());
  });
}

TEST_CASE("semaphore: first come, first served, whatever they want") {
  in_fiber([](expect& e) {
    semaphore s(4);
    s.acquire(4);
    const chan<int> order{4};
    std::vector<task<void>> all;
    for (const int n : {1, 4, 2}) {
      all.push_back(spawn([&, n] {
        s.acquire(n);
        order.send(n);
      }));
      await_waiting("semaphore", static_cast<long>(all.size()));
    }
    s.release(1);
    e.equal(order.recv(), std::optional(1));
    s.release(3);  // the second wants four: those behind it wait, though there is enough for them
    test::settle();
    e.equal(order.len(), 0u);
    e(!s.try_acquire(1));
    s.release(1);
    e.equal(order.recv(), std::optional(4));
    e(!s.try_acquire(0));
    s.release(4);
    e.equal(order.recv(), std::optional(2));
    e(s.try_acquire(2));
    for (auto& t : all) t.join();
  });
}

TEST_CASE("semaphore: one that gives up lets those behind it go on") {
  in_fiber([](expect& e) {
    semaphore s(4);
    s.acquire(2);
    auto large = spawn([&] { s.acquire(4); });
    await_waiting("semaphore", 1);
    auto small = spawn([&] { s.acquire(1); });
    await_waiting("semaphore", 2);
    auto smaller = spawn([&] { return s.acquire(background(), 1).has_value(); });
    await_waiting("semaphore", 3);
    large.cancel();
    small.join();
    e(smaller.join());
    e.throws<canceled>([&] { large.join(); });
    s.release(4);
    e(s.try_acquire(4));
  });
}

TEST_CASE("semaphore: what is acquired under a context is had, or the reason why not") {
  in_fiber([](expect& e) {
    semaphore s(1);
    e(s.acquire(background()).has_value());
    auto timed = with_timeout(background(), 2ms);
    e(error_of(s.acquire(timed)) == errc::deadline_exceeded);
    s.release();
    e(error_of(s.acquire(timed)) == errc::deadline_exceeded);
    e(s.try_acquire());
  });
}

TEST_CASE("semaphore: acquire throws at a cancelled fiber, also where the units are there") {
  in_fiber([](expect& e) {
    semaphore s(1);
    auto t = spawn([&] {
      while (!this_fiber::context().err()) shield([] { this_fiber::yield(); });
      e.throws<canceled>([&] { s.acquire(); });
      e(s.try_acquire());
      shield([&] { s.release(); });
      shield([&] { s.acquire(); });
    });
    t.cancel();
    t.join();
    e(!s.try_acquire());
  });
}

TEST_CASE("semaphore: more than the total waits in nobody's way until its context ends") {
  in_fiber([](expect& e) {
    semaphore s(2);
    auto doomed = spawn([&] { s.acquire(3); });
    await_waiting("semaphore", 1);
    s.acquire(2);
    e(!s.try_acquire(3));
    s.release(2);
    s.acquire(2);
    s.release(2);
    e(select(doomed.done(), after(2ms)) == 1);
    doomed.cancel();
    e.throws<canceled>([&] { doomed.join(); });
    auto timed = with_timeout(background(), 2ms);
    e(error_of(s.acquire(timed, 3)) == errc::deadline_exceeded);
    e(s.try_acquire(2));
  });
}

TEST_CASE("semaphore: misuse throws and changes nothing") {
  in_fiber([](expect& e) {
    e.throws<std::logic_error>([] { const semaphore bad(-1); });
    semaphore s(2);
    e.throws<std::logic_error>([&] { s.release(); });
    e.throws<std::logic_error>([&] { s.acquire(-1); });
    e.throws<std::logic_error>([&] { (void)s.try_acquire(-1); });
    e.throws<std::logic_error>([&] { s.release(-1); });
    s.acquire();
    std::string text;
    try {
      s.release(2);
    } catch (const std::logic_error& error) {
      text = error.what();
    }
    e(text.find("released") != std::string::npos);
    s.release();
    e(s.try_acquire(2));
    e(!s.try_acquire());
  });
}

TEST_CASE("semaphore: what was done before release is seen after acquire, on threads too") {
  in_fiber([](expect& e) {
    semaphore s(1);
    long plain = 0;
    const auto count = [&] {
      for (int i = 0; i < 500; ++i) {
        s.acquire();
        ++plain;
        s.release();
      }
    };
    test::foreign one(count), two(count);
    auto three = spawn(count), four = spawn(count);
    one.join();
    two.join();
    three.join();
    four.join();
    e.equal(plain, 2000L);
  });
}
