// shared_mutex.
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
const std::string k_writing = "shared mutex lock", k_reading = "shared mutex lock_shared";
}

TEST_CASE("shared_mutex: readers share, a writer is alone") {
  in_fiber({1, 2, 4}, [](expect& e) {
    shared_mutex m;
    std::atomic<int> readers{0}, writers{0};
    wait_group all;
    for (int i = 0; i < 8; ++i)
      all.go([&, i] {
        for (int j = 0; j < 100; ++j) {
          if ((i + j) % 4 == 0) {
            const std::unique_lock lock(m);
            e(++writers == 1 && readers == 0);
            this_fiber::yield();
            --writers;
          } else {
            const std::shared_lock lock(m);
            ++readers;
            e(writers == 0);
            this_fiber::yield();
            --readers;
          }
        }
      });
    all.wait();
    e(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("shared_mutex: readers are inside together") {
  in_fiber([](expect& e) {
    shared_mutex m;
    const chan<void> meet;
    const std::shared_lock here(m);
    auto other = spawn([&] {
      const std::shared_lock lock(m);
      meet.send();
    });
    e(meet.recv());
    other.join();
  });
}

TEST_CASE("shared_mutex: what try tells") {
  in_fiber([](expect& e) {
    shared_mutex m;
    e(m.try_lock());
    e(!m.try_lock());
    e(!m.try_lock_shared());
    m.unlock();
    e(m.try_lock_shared());
    e(m.try_lock_shared());
    e(!m.try_lock());
    m.unlock_shared();
    e(!m.try_lock());
    m.unlock_shared();
    e(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("shared_mutex: a waiting writer goes before readers that come later") {
  in_fiber([](expect& e) {
    shared_mutex m;
    std::vector<std::string> order;
    m.lock_shared();
    auto writer = spawn([&] {
      const std::unique_lock lock(m);
      order.push_back("writer");
    });
    await_waiting(k_writing, 1);
    e(!m.try_lock_shared());
    auto reader = spawn([&] {
      const std::shared_lock lock(m);
      order.push_back("reader");
    });
    await_waiting(k_reading, 1);
    m.unlock_shared();
    writer.join();
    reader.join();
    e(order == std::vector<std::string>{"writer", "reader"});
  });
}

TEST_CASE("shared_mutex: when a reader's turn comes, all waiting readers go in with it") {
  in_fiber([](expect& e) {
    shared_mutex m;
    m.lock();
    const chan<int> inside{4};
    const chan<void> leave;
    const auto read = [&](int i) {
      const std::shared_lock lock(m);
      inside.send(i);
      (void)leave.recv();
    };
    auto first = spawn([&] { read(1); });
    await_waiting(k_reading, 1);
    auto writer = spawn([&] {
      const std::unique_lock lock(m);
      inside.send(0);
    });
    await_waiting(k_writing, 1);
    auto second = spawn([&] { read(2); });
    await_waiting(k_reading, 2);
    m.unlock();
    e.equal(*inside.recv() + *inside.recv(), 3);
    leave.send();
    leave.send();
    e.equal(inside.recv(), std::optional(0));
    first.join();
    second.join();
    writer.join();
  });
}

TEST_CASE("shared_mutex: readers behind a writer that gives up go in at once") {
  in_fiber([](expect& e) {
    shared_mutex m;
    m.lock_shared();
    auto [ctx, cancel] = with_cancel(background());
    const context& given = ctx;
    auto writer = spawn([&] { return m.lock(given).has_value(); });
    await_waiting(k_writing, 1);
    auto reader = spawn([&] { m.lock_shared(); });
    await_waiting(k_reading, 1);
    cancel();
    e(!writer.join());
    reader.join();
    e(m.try_lock_shared());
    for (int i = 0; i < 3; ++i) m.unlock_shared();
    e(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("shared_mutex: locks under a context are had, or the reason why not") {
  in_fiber([](expect& e) {
    shared_mutex m;
    e(m.lock(background()).has_value());
    auto timed = with_timeout(background(), 2ms);
    e(error_of(m.lock_shared(timed)) == errc::deadline_exceeded);
    auto again = with_timeout(background(), 2ms);
    e(error_of(m.lock(again)) == errc::deadline_exceeded);
    m.unlock();
    e(error_of(m.lock(again)) == errc::deadline_exceeded);
    e(error_of(m.lock_shared(again)) == errc::deadline_exceeded);
    e(m.lock_shared(background()).has_value());
    e(!m.try_lock());
    m.unlock_shared();
    e(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("shared_mutex: without a context, locking is no cancellation point") {
  in_fiber([](expect& e) {
    shared_mutex m;
    m.lock();
    auto writer = spawn([&] {
      m.lock();
      m.unlock();
      return true;
    });
    auto reader = spawn([&] {
      m.lock_shared();
      m.unlock_shared();
      return true;
    });
    await_waiting(k_writing, 1);
    await_waiting(k_reading, 1);
    writer.cancel();
    reader.cancel();
    e(select(writer.done(), reader.done(), after(2ms)) == 2);
    m.unlock();
    e(writer.join());
    e(reader.join());
  });
}

TEST_CASE("shared_mutex: neither writers nor readers starve") {
  in_fiber([](expect& e) {
    shared_mutex m;
    std::atomic<bool> stop{false};
    std::vector<task<void>> greedy;
    for (int i = 0; i < 3; ++i)
      greedy.push_back(spawn([&] {
        while (!stop) {
          const std::shared_lock lock(m);
          this_fiber::yield();
        }
      }));
    greedy.push_back(spawn([&] {
      while (!stop) {
        const std::unique_lock lock(m);
        this_fiber::yield();
      }
    }));
    int turns = 0;
    for (; turns < 50; ++turns) {
      {
        const std::unique_lock lock(m);
        this_fiber::yield();
      }
      const std::shared_lock lock(m);
      this_fiber::yield();
    }
    stop = true;
    for (auto& t : greedy) t.join();
    e.equal(turns, 50);
  });
}

TEST_CASE("shared_mutex: unlocking what is not locked throws and names it") {
  in_fiber([](expect& e) {
    shared_mutex m;
    const auto text_of = [](auto&& f) {
      try {
        f();
      } catch (const std::logic_error& error) {
        return std::string(error.what());
      }
      return std::string();
    };
    e(text_of([&] { m.unlock(); }).find("unlock of unlocked") != std::string::npos);
    e(text_of([&] { m.unlock_shared(); }).find("unlock_shared") != std::string::npos);
    m.lock();
    e.throws<std::logic_error>([&] { m.unlock_shared(); });
    m.unlock();
    m.lock_shared();
    e.throws<std::logic_error>([&] { m.unlock(); });
    m.unlock_shared();
    e(m.try_lock());
    m.unlock();
  });
}

TEST_CASE("shared_mutex: works with the standard's locks, other fibers unlock, threads take part") {
  in_fiber([](expect& e) {
    shared_mutex a;
    mutex b;
    {
      const std::scoped_lock both(a, b);
      e(!a.try_lock_shared());
    }
    a.lock_shared();
    spawn([&] { a.unlock_shared(); }).join();
    e(a.try_lock());
    a.unlock();
    long plain = 0;
    const auto work = [&] {
      for (int i = 0; i < 300; ++i) {
        if (i % 3 == 0) {
          const std::unique_lock lock(a);
          ++plain;
        } else {
          const std::shared_lock lock(a);
          e(plain <= 400);
        }
      }
    };
    test::foreign one(work), two(work);
    auto three = spawn(work), four = spawn(work);
    one.join();
    two.join();
    three.join();
    four.join();
    e.equal(plain, 400L);
  });
}
