// condition_variable.
#include <mutex>
#include <shared_mutex>
#include <stdexcept>

#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::await_waiting;
using test::expect;
using test::in_fiber;

namespace {

const std::string k_asleep = "condition variable";

// Locks whose unlocking does what it likes.
struct parking_lock {
  mutex& m;
  void lock() { m.lock(); }
  void unlock() {
    m.unlock();
    this_fiber::sleep_for(1ms);
  }
};
struct polling_lock {
  mutex& m;
  bool held = false;
  void lock() {
    this_fiber::poll();
    m.lock();
    held = true;
  }
  void unlock() {
    held = false;
    m.unlock();
  }
};
struct failing_lock {
  void lock() {}
  void unlock() { throw std::runtime_error("cannot unlock"); }
};

}  // namespace

TEST_CASE("condition_variable: a predicate that others make true ends the wait, with the lock held") {
  in_fiber({1, 2, 4}, [](expect& e) {
    mutex m;
    condition_variable changed;
    int value = 0;
    auto waiting = spawn([&] {
      std::unique_lock lock(m);
      changed.wait(lock, [&] { return value == 3; });
      e(!m.try_lock());
      return value;
    });
    for (int i = 1; i <= 3; ++i) {
      const std::lock_guard lock(m);
      value = i;
      changed.notify_one();
    }
    e.equal(waiting.join(), 3);
  });
}

TEST_CASE("condition_variable: notify_one wakes exactly one, in order of arrival") {
  in_fiber({1, 4}, [](expect& e) {
    mutex m;
    condition_variable c;
    std::vector<int> woken;
    std::vector<task<void>> all;
    for (int i = 0; i < 8; ++i) {
      all.push_back(spawn([&, i] {
        const std::lock_guard lock(m);
        c.wait(m);
        woken.push_back(i);
      }));
      await_waiting(k_asleep, i + 1);
    }
    for (std::size_t i = 1; i <= all.size(); ++i) {
      c.notify_one();
      for (std::size_t n = 0; n < i; this_fiber::yield()) {
        const std::lock_guard lock(m);
        n = woken.size();
      }
      test::settle();
      const std::lock_guard lock(m);
      e.equal(woken.size(), i);
    }
    for (auto& t : all) t.join();
    e(woken == std::vector{0, 1, 2, 3, 4, 5, 6, 7});
  });
}

TEST_CASE("condition_variable: notify_all wakes all that wait, and none that comes later") {
  in_fiber([](expect& e) {
    mutex m;
    condition_variable c;
    c.notify_one();
    c.notify_all();
    const auto sleep = [&] {
      const std::lock_guard lock(m);
      c.wait(m);
    };
    std::vector<task<void>> all;
    for (int i = 0; i < 20; ++i) all.push_back(spawn(sleep));
    await_waiting(k_asleep, 20);
    c.notify_all();
    for (auto& t : all) t.join();
    auto late = spawn(sleep);
    await_waiting(k_asleep, 1);
    e(select(late.done(), after(2ms)) == 1);
    c.notify_all();
    late.join();
  });
}

TEST_CASE("condition_variable: cancellation is thrown with the lock held") {
  in_fiber([](expect& e) {
    mutex m;
    condition_variable c;
    bool held = false;
    auto t = spawn([&] {
      std::unique_lock lock(m);
      try {
        c.wait(lock);
      } catch (const canceled&) {
        held = lock.owns_lock() && !m.try_lock();
        throw;
      }
    });
    await_waiting(k_asleep, 1);
    m.lock();
    t.cancel();
    test::settle();
    m.unlock();
    e.throws<canceled>([&] { t.join(); });
    e(held);
    e(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("condition_variable: a cancelled context is reported, also where the predicate holds already") {
  in_fiber([](expect& e) {
    mutex m;
    condition_variable c;
    std::unique_lock lock(m);
    auto timed = with_timeout(background(), 2ms);
    e(error_of(c.wait(timed, lock)) == errc::deadline_exceeded);
    e(lock.owns_lock());
    e(!m.try_lock());
    e(error_of(c.wait(timed, lock, [] { return true; })) == errc::deadline_exceeded);
    e(c.wait(background(), lock, [] { return true; }).has_value());
    auto live = with_timeout(background(), 2ms);
    e(error_of(c.wait(live, lock, [] { return false; })) == errc::deadline_exceeded);
    lock.unlock();

    auto bound = spawn([&] {
      while (!this_fiber::context().err()) shield([] { this_fiber::yield(); });
      std::unique_lock own(m);
      e.throws<canceled>([&] { c.wait(own, [] { return true; }); });
      e.throws<canceled>([&] { c.wait(own); });
      e(own.owns_lock());
    });
    bound.cancel();
    bound.join();
  });
}

TEST_CASE("condition_variable: a notification passes by one that was cancelled") {
  in_fiber([](expect& e) {
    mutex m;
    condition_variable c;
    const auto sleep = [&] {
      std::unique_lock lock(m);
      c.wait(lock);
    };
    auto first = spawn(sleep);
    await_waiting(k_asleep, 1);
    auto second = spawn(sleep);
    await_waiting(k_asleep, 2);
    m.lock();  // the cancelled one cannot leave the wait before it has the lock
    first.cancel();
    c.notify_one();
    m.unlock();
    second.join();
    e.throws<canceled>([&] { first.join(); });
  });
}

TEST_CASE("condition_variable: shielded, a wait is not cancelled") {
  in_fiber([](expect& e) {
    mutex m;
    condition_variable c;
    auto t = spawn([&] {
      std::unique_lock lock(m);
      shield([&] { c.wait(lock); });
      return true;
    });
    await_waiting(k_asleep, 1);
    t.cancel();
    e(select(t.done(), after(2ms)) == 1);
    c.notify_one();
    e(t.join());
  });
}

TEST_CASE("condition_variable: any lock will do") {
  in_fiber([](expect& e) {
    condition_variable c;
    bool ready = false;
    const auto meet = [&](auto& lock) {
      ready = false;
      auto t = spawn([&] {
        const std::lock_guard hold(lock);
        c.wait(lock, [&] { return ready; });
        return ready;
      });
      test::settle();
      {
        const std::lock_guard hold(lock);
        ready = true;
      }
      c.notify_all();
      e(t.join());
    };
    mutex m;
    meet(m);
    spin_lock s;
    meet(s);
    shared_mutex x;
    meet(x);
    parking_lock p{m};
    meet(p);
  });
}

TEST_CASE("condition_variable: relocking is no cancellation point, even where the lock's own lock() is") {
  in_fiber([](expect& e) {
    mutex m;
    condition_variable c;
    bool held = false;
    auto t = spawn([&] {
      polling_lock lock{m};
      lock.lock();
      e.throws<canceled>([&] { c.wait(lock); });
      held = lock.held && !m.try_lock();
      lock.unlock();
    });
    await_waiting(k_asleep, 1);
    t.cancel();
    t.join();
    e(held);
  });
}

TEST_CASE("condition_variable: readers wait together on the shared side") {
  in_fiber([](expect& e) {
    shared_mutex m;
    condition_variable c;
    bool ready = false;
    std::vector<task<void>> all;
    for (int i = 0; i < 4; ++i)
      all.push_back(spawn([&] {
        std::shared_lock lock(m);
        c.wait(lock, [&] { return ready; });
        e(lock.owns_lock());
      }));
    test::settle();
    {
      const std::lock_guard lock(m);
      ready = true;
      c.notify_all();
    }
    for (auto& t : all) t.join();
    e(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("condition_variable: a lock that cannot be unlocked leaves nobody in the queue") {
  in_fiber([](expect& e) {
    mutex m;
    condition_variable c;
    failing_lock bad;
    e.throws<std::runtime_error>([&] { c.wait(bad); });
    auto t = spawn([&] {
      std::unique_lock lock(m);
      c.wait(lock);
    });
    await_waiting(k_asleep, 1);
    c.notify_one();
    t.join();
  });
}

TEST_CASE("condition_variable: between fibers and foreign threads") {
  in_fiber([](expect& e) {
    mutex m;
    condition_variable c;
    int turn = 0;
    const auto play = [&](int me) {
      for (int i = 0; i < 200; ++i) {
        std::unique_lock lock(m);
        c.wait(lock, [&] { return turn % 2 == me; });
        ++turn;
        c.notify_all();
      }
    };
    test::foreign thread([&] { play(0); });
    play(1);
    thread.join();
    e.equal(turn, 400);
  });
}
