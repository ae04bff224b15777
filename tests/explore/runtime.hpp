// What the tests of the runtime's own protocols under explore share.
#pragma once
#include <atomic>
#include <functional>
#include <stdexcept>
#include <weft/synctest.hpp>

#include "tests/support/support.hpp"

namespace test {

using weft::synctest::exploration;
using weft::synctest::explore;
using weft::synctest::explore_options;
using weft::synctest::strategy;

inline void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

// So many fibers go on from here at once, on as many processors: woken by one another they would go on in turns.
class meeting {
 public:
  explicit meeting(int count) : missing_(count) {}
  void operator()() {
    for (--missing_; missing_ > 0;) weft::this_fiber::yield();
  }

 private:
  std::atomic<int> missing_;
};

// A few steps more or less, for two that are to meet in the middle of what they do.
inline void dawdle(int steps) {
  const weft::chan<int> empty;
  for (int i = 0; i < steps; ++i) static_cast<void>(empty.try_recv());
}
inline constexpr int k_lags = 6;

// Whatever fails, fails again from its seed.
inline void check_holds(const std::function<void()>& f) {
  for (const strategy s : {strategy::random, strategy::pct}) {
    explore_options o{.seeds = scale(1000), .strategy = s};
    const exploration e = explore(o, f);
    CHECK_MESSAGE(!e.failed, "seed ", e.seed, ": ", e.what);
    if (!e.failed) continue;
    o.first_seed = e.seed;
    o.seeds = 1;
    const exploration again = explore(o, f);
    MESSAGE("found after ", e.seeds, " seeds; from its seed alone: ", again.what, ", after ", again.steps, " steps");
    CHECK(again.failed);
    CHECK(again.what == e.what);
  }
}

}  // namespace test
