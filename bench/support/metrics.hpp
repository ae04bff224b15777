// Every figure that weft has a goal for: its name, unit, and the goal.
#pragma once

#include <span>
#include <string_view>

namespace bench {

struct metric {
  const char* name;
  const char* row;  // the micro benchmarks' row that measures it
  const char* title;
  const char* unit;
  double goal_1;  // on one processor and on two; 0: none set
  double goal_2;
  bool more_is_better = false;

  double goal(unsigned processors) const { return processors == 1 ? goal_1 : processors == 2 ? goal_2 : 0; }
};

// In the order of the table: those of the micro benchmarks, and those that preemption and echo measure.
std::span<const metric> metrics();
std::span<const metric> other_metrics();
const metric& metric_named(std::string_view name);  // of the former; throws std::out_of_range for a name that is none

}  // namespace bench
