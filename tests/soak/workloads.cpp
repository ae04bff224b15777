// The table of workloads. A storm's size is such that a round lasts about a second beside all the others.
#include "workloads.hpp"

#include <utility>

#include "tests/storms/storms.hpp"

using test::expect;
namespace storm = test::storm;

namespace soak {
namespace {

// The choices below are made by the seed.
test::random chance(const turn& t) { return test::random(t.seed); }

void channels(expect& e, const turn& t) {
  static constexpr int k_capacities[] = {0, 1, 7, 128};
  auto c = chance(t);
  const int capacity = k_capacities[c.below(4)];
  storm::many_to_many(e, capacity, 8, 8, 1'000);
  storm::many_to_many(e, capacity, 1, 16, 2'000);
  storm::many_to_many(e, capacity, 16, 1, 500);
}

void selects(expect& e, const turn& t) {
  static constexpr int k_capacities[] = {0, 1, 16};
  storm::selects(e, k_capacities[chance(t).below(3)], 200, t.seed);
}

void races(expect& e, const turn& t) {
  storm::race_waits(e, storm::wait_by::receive, 4, 2'000, t.seed);
  storm::race_waits(e, storm::wait_by::select, 4, 2'000, t.seed);
  storm::race_waits(e, storm::wait_by::bound_receive, 4, 500, t.seed);
}

void contexts(expect& e, const turn& t) {
  auto c = chance(t);
  const auto parent = weft::with_cancel(weft::background());
  storm::contexts_come_and_go(e, parent, 2'000, static_cast<storm::order>(c.below(3)),
                              static_cast<storm::ending>(c.below(6)));
}

void timers(expect& e, const turn& t) { storm::timers(e, 500, t.seed); }

void locks(expect& e, const turn& t) {
  storm::mutex_deadlines(e, 500, t.seed);
  storm::semaphore_units(e, 200, t.seed);
  storm::readers_and_writers(e, 200, t.seed);
  storm::bounded_queue(e, 300);
}

void groups(expect& e, const turn& t) {
  for (std::uint64_t i = 0; i < 5; ++i) {
    storm::group_places(e, t.seed + i);
    storm::tree_of_calls(e, t.seed + i);
  }
}

void exceptions(expect& e, const turn&) {
  storm::nested_exceptions(e, 8, 20);
  storm::cancelled_frames(e, 50);
}

void computations(expect& e, const turn& t) { storm::preempted_computations(e, 4, 3, t.seed); }

void interrupted(expect& e, const turn& t) { storm::interrupted_loops(e, 100, t.seed); }

void blocked_threads(expect& e, const turn&) { storm::undeclared_reads(e, 4, 30); }

void streams(expect& e, const turn& t) {
  storm::streams(e, 200'000, t.seed);
  storm::streams_of_threads(e, 100'000, t.seed);
}

void connections(expect& e, const turn& t) {
  storm::closed_connections(e, 40, t.seed);
  storm::cancelled_dials(e, 100, t.seed);
}

struct row {
  std::string_view name;
  void (*round)(expect&, const turn&);
  bool by_signals = false;  // nothing for ThreadSanitizer, which holds signals back
};

constexpr row k_rows[] = {
    {"channels", channels},
    {"selects", selects},
    {"races", races},
    {"cancelled_waits", cancelled_waits},
    {"contexts", contexts},
    {"functions_of_contexts", functions_of_contexts},
    {"timers", timers},
    {"functions_of_timers", functions_of_timers},
    {"locks", locks},
    {"groups", groups},
    {"exceptions", exceptions},
    {"computations", computations, true},
    {"migrating_computations", migrating_computations, true},
    {"interrupted_loops", interrupted, true},
    {"blocked_threads", blocked_threads},
    {"declared_blocking", declared_blocking},
    {"streams", streams},
    {"connections", connections},
    {"foreign_threads", foreign_threads},
    {"changing_processors", changing_processors},
};

}  // namespace

std::deque<workload> workloads(std::string_view only) {
  std::deque<workload> all;
  for (const row& r : k_rows)
    if ((only.empty() || only == r.name) && !(r.by_signals && WEFT_TSAN)) all.emplace_back(r.name, r.round);
  return all;
}

}  // namespace soak
