// waiter and spin_lock: a primitive of one's own, a latch that counts.
#include <algorithm>
#include <list>
#include <mutex>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

// Opens for `n` waiters at a time, first come first served. A wait that fails unlinks itself under the lock.
class turnstile {
 public:
  void pass() {
    std::unique_lock lock(lock_);
    if (take()) return;
    waiter self;
    const auto place = line_.insert(line_.end(), &self);
    try {
      self.wait(lock);
    } catch (...) {
      line_.erase(place);
      throw;
    }
  }

  result<void> pass(const context& ctx) {
    std::unique_lock lock(lock_);
    if (take()) return {};
    waiter self;
    const auto place = line_.insert(line_.end(), &self);
    result<void> woken = self.wait(ctx, lock);
    if (!woken) line_.erase(place);
    return woken;
  }

  void let(int n) {
    const std::lock_guard lock(lock_);
    for (; n > 0; --n) open_ += !wake_one();
  }

  std::size_t waiting() {
    const std::lock_guard lock(lock_);
    return line_.size();
  }

 private:
  bool take() {
    if (open_ == 0) return false;
    --open_;
    return true;
  }
  // One who was cancelled refuses, and erases itself when it has the lock again.
  bool wake_one() {
    for (auto at = line_.begin(); at != line_.end(); ++at)
      if ((*at)->wake()) {
        line_.erase(at);
        return true;
      }
    return false;
  }

  spin_lock lock_;
  std::list<waiter*> line_;
  int open_ = 0;
};

}  // namespace

TEST_CASE("waiter: parks until woken") {
  in_fiber([](expect& e) {
    turnstile gate;
    std::atomic<int> passed{0};
    std::vector<task<void>> all;
    for (int i = 0; i < 10; ++i)
      all.push_back(spawn([&] {
        gate.pass();
        ++passed;
      }));
    while (gate.waiting() < 10) this_fiber::yield();
    e.equal(passed.load(), 0);
    gate.let(4);
    while (passed < 4) this_fiber::yield();
    test::settle();
    e.equal(passed.load(), 4);
    gate.let(6);
    for (auto& t : all) t.join();
    e.equal(passed.load(), 10);
  });
}

TEST_CASE("waiter: a cancelled wait throws with the lock held, and takes no turn") {
  in_fiber([](expect& e) {
    turnstile gate;
    auto first = spawn([&] { gate.pass(); });
    while (gate.waiting() < 1) this_fiber::yield();
    auto second = spawn([&] { gate.pass(); });
    while (gate.waiting() < 2) this_fiber::yield();
    first.cancel();
    e.throws<canceled>([&] { first.join(); });
    e.equal(gate.waiting(), 1u);
    gate.let(1);
    second.join();
  });
}

TEST_CASE("waiter: with a context it reports who nobody woke") {
  in_fiber([](expect& e) {
    turnstile gate;
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    e(error_of(gate.pass(ctx)) == errc::deadline_exceeded);
    e.equal(gate.waiting(), 0u);
    gate.let(1);
    e(gate.pass(background()).has_value());
  });
}

TEST_CASE("waiter: turns and cancels race, and no turn is lost or doubled") {
  in_fiber({1, 2, 4}, [](expect& e) {
    turnstile gate;
    constexpr int k_fibers = 8, k_turns = 500;
    std::atomic<int> passed{0};
    std::vector<task<void>> all;
    for (int i = 0; i < k_fibers; ++i)
      all.push_back(spawn([&, i] {
        test::random chance(static_cast<std::uint64_t>(i));
        for (int mine = 0; mine < k_turns;) {
          auto scope = with_timeout(background(), std::chrono::microseconds(chance.below(20)));
          if (gate.pass(scope)) ++mine, ++passed;
        }
      }));
    for (int i = 0; i < k_fibers * k_turns; ++i) {
      gate.let(1);
      if (i % 8 == 0) this_fiber::yield();
    }
    for (auto& t : all) t.join();
    e.equal(passed.load(), k_fibers * k_turns);
    e.equal(gate.waiting(), 0u);
    auto scope = with_timeout(background(), 1ms);
    e(!gate.pass(scope));
  });
}

TEST_CASE("waiter: works on a foreign thread") {
  in_fiber([](expect& e) {
    turnstile gate;
    std::atomic<int> passed{0};
    test::foreign thread([&] {
      gate.pass();
      ++passed;
    });
    while (gate.waiting() < 1) this_fiber::yield();
    e.equal(passed.load(), 0);
    gate.let(1);
    thread.join();
    e.equal(passed.load(), 1);
  });
}

TEST_CASE("waiter: the lock may be a mutex, and a waiter waits again") {
  in_fiber({1, 2, 4}, [](expect& e) {
    constexpr int k_turns = 200;
    mutex lock;
    waiter* ready = nullptr;
    int turns = 0;
    auto waiting = spawn([&] {
      std::unique_lock l(lock);
      waiter w;
      for (int i = 0; i < k_turns; ++i) {
        ready = &w;
        w.wait(l);
        ++turns;
      }
    });
    for (int woken = 0; woken < k_turns; this_fiber::yield()) {
      const std::lock_guard hold(lock);
      if (ready == nullptr) continue;
      e(ready->wake());
      e(!ready->wake());
      ready = nullptr;
      ++woken;
    }
    waiting.join();
    e.equal(turns, k_turns);
  });
}

TEST_CASE("waiter: check_canceled throws, or gives the error; never on a foreign thread for a bound context") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    e(waiter::check_canceled(ctx).has_value());
    {
      const bind_scope bound(ctx);
      waiter::check_canceled();
      cancel();
      e.throws<canceled>([] { waiter::check_canceled(); });
      e.throws<canceled>([] { waiter::check_canceled(); });
      shield([] { waiter::check_canceled(); });
    }
    waiter::check_canceled();
    e(error_of(waiter::check_canceled(ctx)) == errc::canceled);
    test::foreign thread([&e, dead = ctx] {
      waiter::check_canceled();
      e(error_of(waiter::check_canceled(dead)) == errc::canceled);
    });
  });
}

TEST_CASE("waiter: a lock that is not held is refused, and nobody who waits is nobody woken") {
  in_fiber([](expect& e) {
    spin_lock lock;
    std::unique_lock held(lock);
    waiter w;
    e(!w.wake());
    held.unlock();
    e.throws<std::logic_error>([&] { w.wait(held); });
    e.throws<std::logic_error>([&] { (void)w.wait(background(), held); });
  });
}

TEST_CASE("spin_lock: try_lock takes it where it is free, and says so") {
  in_fiber([](expect& e) {
    spin_lock lock;
    e(lock.try_lock());
    e(!lock.try_lock());
    lock.unlock();
    {
      const std::lock_guard hold(lock);
      e(!lock.try_lock());
    }
    e(lock.try_lock());
    lock.unlock();
    this_fiber::yield();  // no mark is left
  });
}
