// The lock for a few instructions.
#include "runtime/base/spin_lock.hpp"

#include <mutex>

#include "tests/support/support.hpp"
#include "tests/unit/lockstep.hpp"

using namespace weft::runtime;

TEST_CASE("spin_lock: one holder at a time, who sees what those before it wrote") {
  spin_lock lock;
  long count = 0, tried = 0;
  const auto hold_and_count = [&] {
    const long seen = count;
    for (int turns = 0; turns < 20; ++turns) asm volatile("");  // two holders would lose a count
    count = seen + 1;
  };
  const auto locks = [&](long) {
    const std::lock_guard hold(lock);
    hold_and_count();
  };
  const auto tries = [&](long) {
    if (!lock.try_lock()) return;
    hold_and_count();
    lock.unlock();
    ++tried;
  };
  const long rounds = test::scale(200'000);
  SUBCASE("both lock") {
    test::race(rounds, locks, locks);
    CHECK(count == 2 * rounds);
  }
  SUBCASE("one tries") {
    test::race(rounds, locks, tries);
    CHECK(count == rounds + tried);
  }
}

TEST_CASE("spin_lock: try_lock fails while it is held and works again after unlock") {
  spin_lock lock;
  CHECK(lock.try_lock());
  CHECK_FALSE(lock.try_lock());
  lock.unlock();
  lock.lock();
  CHECK_FALSE(lock.try_lock());
  lock.unlock();
  CHECK(lock.try_lock());
}
