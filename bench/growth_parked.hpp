// Many fibers of which it is known that they are parked.
#pragma once

#include <atomic>
#include <chrono>
#include <weft/weft.hpp>

#include "bench/support/quiet.hpp"

namespace bench {

// All have counted themselves, which is the last they do before they wait; then those on other processors, too, have
// come to rest.
inline void await_parked(const std::atomic<int>& arrived, int n) {
  while (arrived.load(std::memory_order_relaxed) != n) weft::this_fiber::yield();
  for (int i = 0; i < 3; ++i) weft::this_fiber::yield();
  (void)others_asleep(std::chrono::milliseconds(20));
}

}  // namespace bench
