// Every figure the micro benchmarks give: its name, unit, and the figure weft is built to reach.
#pragma once

#include <span>
#include <string_view>

namespace bench {

struct metric {
  const char* name;
  const char* row;  // the row of the programs that measures it
  const char* title;
  const char* unit;
  double goal_1;  // on one processor and on two; 0: none set
  double goal_2;

  double goal(unsigned processors) const { return processors == 1 ? goal_1 : processors == 2 ? goal_2 : 0; }
};

std::span<const metric> metrics();                  // in the order of the table
const metric& metric_named(std::string_view name);  // throws std::out_of_range for a name that is none

}  // namespace bench
