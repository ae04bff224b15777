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

// Returns once the fiber of this name waits.
inline void await_waiting_fiber(std::string_view name) {
  for (;; weft::this_fiber::yield()) {
    const auto all = weft::debug::fibers();
    if (std::ranges::any_of(all, [&](const auto& f) { return f.name == name && f.state == "waiting"; })) return;
  }
}

}  // namespace test
