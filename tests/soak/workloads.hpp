// What the soak does: workloads, each a loop of rounds in a fiber of its own, all at the same time in one run.
//
// A round takes some milliseconds to some seconds, counts, and leaves nothing behind.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <string_view>

#include "tests/support/support.hpp"

namespace soak {

// What a round may know.
struct turn {
  std::uint64_t seed;
  unsigned processors;  // the most there are
};

struct workload {
  std::string_view name;
  void (*round)(test::expect&, const turn&);
  test::expect seen{};
  std::atomic<long> rounds{0};
  std::atomic<bool> ended{false};
};

// In a deque, as they stay where they are. All, or those whose name is `only`.
std::deque<workload> workloads(std::string_view only);

// The rounds that are not storms of the stress tests' alone.
void cancelled_waits(test::expect& e, const turn& t);      // of every kind; each frame is unwound
void functions_of_timers(test::expect& e, const turn& t);  // run once, or never when they were stopped
void functions_of_contexts(test::expect& e, const turn& t);
void declared_blocking(test::expect& e, const turn& t);
void migrating_computations(test::expect& e, const turn& t);
void foreign_threads(test::expect& e, const turn& t);  // spawn, send, receive, cancel
void changing_processors(test::expect& e, const turn& t);

}  // namespace soak
