// What preemption costs and how late it is: each question, put to weft once.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace bench {

// How much of a workload: until there are so many samples, or the time is up. None is cut off before ten.
struct preemption_budget {
  int samples;
  std::chrono::milliseconds time;
};

struct preemption_workload {
  std::string name;  // of preemption_questions()
  unsigned processors;
  int hogs;  // loops without a call, in all
};

// Nanoseconds, but for "shares": there the parts of a fair share. By the name of the figures; most workloads have but
// their own.
using preemption_samples = std::map<std::string, std::vector<double>>;

preemption_samples run_preemption(const preemption_workload&, const preemption_budget&);

}  // namespace bench
