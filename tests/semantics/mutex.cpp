// mutex.
#include <mutex>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("mutex: one at a time, also over waits") {
  in_fiber({1, 2, 4, 8}, [](expect& e) {
    mutex m;
    int inside = 0, total = 0;
    std::vector<task<void>> all;
    for (int i = 0; i < 8; ++i)
      all.push_back(spawn([&] {
        for (int j = 0; j < 200; ++j) {
          const std::lock_guard lock(m);
          e(++inside == 1);
          ++total;
          if (j % 7 == 0) this_fiber::yield();
          --inside;
        }
      }));
    for (auto& t : all) t.join();
    e.equal(total, 1600);
  });
}

TEST_CASE("mutex: try_lock tells, and never waits") {
  in_fiber([](expect& e) {
    mutex m;
    e(m.try_lock());
    e(!m.try_lock());
    auto other = spawn([&] { return m.try_lock(); });
    e(!other.join());
    m.unlock();
    e(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("mutex: lock with a context gets the lock, or the reason why not") {
  in_fiber([](expect& e) {
    mutex m;
    e(m.lock(background()).has_value());
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    e(error_of(m.lock(ctx)) == errc::deadline_exceeded);
    m.unlock();
    e(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("mutex: a waiter that was cancelled passes the lock by, the next one gets it") {
  in_fiber([](expect& e) {
    mutex m;
    m.lock();
    auto [ctx, cancel] = with_cancel(background());
    const context& given = ctx;
    auto first = spawn([&] { return m.lock(given).has_value(); });
    test::settle();
    auto second = spawn([&] {
      m.lock();
      m.unlock();
    });
    test::settle();
    cancel();
    e(!first.join());
    m.unlock();
    second.join();
    e(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("mutex: unlock of an unlocked one throws and names it") {
  in_fiber([](expect& e) {
    mutex m;
    std::string text;
    try {
      m.unlock();
    } catch (const std::logic_error& error) {
      text = error.what();
    }
    e(text.find("unlock") != std::string::npos);
    e(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("mutex: may be unlocked by another fiber than locked it") {
  in_fiber([](expect& e) {
    mutex m;
    m.lock();
    spawn([&] { m.unlock(); }).join();
    e(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("mutex: works with the standard's locks") {
  in_fiber([](expect& e) {
    mutex a, b;
    {
      const std::scoped_lock both(a, b);
      e(!a.try_lock());
      e(!b.try_lock());
    }
    std::unique_lock one(a, std::try_to_lock);
    e(one.owns_lock());
    one.unlock();
    one.lock();
    e(one.owns_lock());
  });
}

TEST_CASE("mutex: nobody starves behind one that locks all the time") {
  in_fiber({1, 4}, [](expect& e) {
    mutex m;
    std::atomic<bool> stop{false};
    auto greedy = spawn([&] {
      while (!stop) {
        const std::lock_guard lock(m);
        this_fiber::yield();
      }
    });
    int turns = 0;
    for (; turns < 20; ++turns) {
      const std::lock_guard lock(m);
      this_fiber::yield();
    }
    stop = true;
    greedy.join();
    e.equal(turns, 20);
  });
}
