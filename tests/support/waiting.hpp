// Telling that a fiber has parked, without hoping: the runtime is asked.
#pragma once
#include <algorithm>
#include <string_view>
#include <weft/weft.hpp>

namespace test {

// Returns once exactly `count` fibers wait for `reason`, a word of debug::fiber_info::wait_reason. They are queued
// then.
inline void await_waiting(std::string_view reason, long count) {
  for (;; weft::this_fiber::yield()) {
    const auto all = weft::debug::fibers();
    if (std::ranges::count(all, reason, &weft::debug::fiber_info::wait_reason) == count) return;
  }
}

}  // namespace test
