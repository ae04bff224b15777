// Who looks at the time while no worker is up to.
#include <semaphore>

#include "runtime/sched/scheduler.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using runtime::sched;

TEST_CASE("time keeper: a timer that is set while all who are awake block their threads fires") {
  test::in_fiber({1, 2}, [](test::expect& e) {
    const auto& s = sched();
    // With one processor the worker that wakes for this has kept the time until then, and leaves nobody to do it.
    for (bool reached = false; !reached;) {
      this_fiber::sleep_for(1ms);
      blocking([&] {
        while (s.idle_count.load() != s.processors.size()) std::this_thread::yield();  // until ours has been taken
        // A preemption before may have had another worker up. And on more processors one keeps the time anyway.
        reached = s.processors.size() != 1 || s.keeper_until.load() == 0;
        std::binary_semaphore fired(0);
        const timer t = after_func(1ms, [&] { fired.release(); });
        fired.acquire();
      });
    }
    e(true);
  });
}
