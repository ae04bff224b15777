// The lock for a few instructions.
#include "runtime/base/spin_lock.hpp"

#include <mutex>

#include "tests/support/support.hpp"
#include "tests/unit/lockstep.hpp"

using namespace weft::runtime;

TEST_CASE("spin_lock: one holder at a time, who sees what those before it wrote") {
  spin_lock lock;
  long count = 0;
  const auto locks = [&](long) {
    const std::lock_guard hold(lock);
    ++count;
  };
  long tried = 0;
  const auto tries = [&](long) {
    if (!lock.try_lock()) return;
    ++count;
    lock.unlock();
    ++tried;
  };
  const long rounds = test::scale(50'000);
  test::race(rounds, locks, locks, tries);
  CHECK(count == 2 * rounds + tried);
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
