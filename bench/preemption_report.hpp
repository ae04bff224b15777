// The questions that preemption answers, and their figures as a table and as JSON.
#pragma once

#include <string>
#include <vector>

#include "bench/preemption_workloads.hpp"

namespace bench {

// A figure: one line of the table for weft, one for Go.
struct preemption_figure {
  const char* name;  // in preemption_samples
  const char* workload;
  const char* title;
  const char* go;  // what Go's side is, where it is not the same; empty: not asked
};
const std::vector<preemption_figure>& preemption_figures();

struct preemption_result {
  preemption_workload load;
  preemption_samples weft, go;
};

struct preemption_report {
  std::vector<preemption_result> results;
  std::string go;  // its version, or why there is none
  bool quick = false;
};

void print_table(const preemption_report&);
std::string to_json(const preemption_report&);

}  // namespace bench
