// The questions that load asks, each put to weft once.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace bench {

enum class load_kind { weft, migratable, unpreempted };  // as it is; long fibers migratable; preemption off

struct load_workload {
  std::string name;  // of load_questions()
  unsigned processors;
  int amount;  // tail: the load in percent; thread, pipe, timer: how long nothing happens, in microseconds
};

// By the names of the figures: nanoseconds, or percent.
using load_samples = std::map<std::string, std::vector<double>>;

load_samples run_load(const load_workload&, std::chrono::milliseconds time, load_kind);

// Those that run_load is made of; called within a run.
load_samples load_tail(const load_workload&, std::chrono::milliseconds time, load_kind);
load_samples load_idle(const load_workload&, std::chrono::milliseconds time);
load_samples load_mixed(const load_workload&, std::chrono::milliseconds time);

}  // namespace bench
