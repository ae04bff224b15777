// Timers made, stopped, reset and fired at random.
#include "tests/storms/storms.hpp"

using namespace weft;

namespace test::storm {

void timers(expect& e, long each, std::uint64_t seed) {
  wait_group all;
  std::atomic<long> finished{0};
  for (std::uint64_t fiber = 0; fiber < 8; ++fiber)
    all.go([&, fiber] {
      test::random chance(seed + fiber);
      for (long i = 0; i < each; ++i) {
        const timer t(std::chrono::nanoseconds(chance.below(3000)));
        if (chance.below(2)) this_fiber::yield();
        switch (chance.below(3)) {
          case 0:
            (void)t.stop();
            if (t.try_recv()) e(false);
            break;
          case 1: {
            const auto begin = clock::now();
            (void)t.reset(2us);
            const auto at = t.recv();
            if (!at || *at < begin + 2us) e(false);
            break;
          }
          default:
            if (!t.recv()) e(false);
        }
      }
      ++finished;
    });
  all.wait();
  e.equal(finished.load(), 8);
}

}  // namespace test::storm
