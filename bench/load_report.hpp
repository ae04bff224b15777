// The figures of load as a table and as JSON.
#pragma once

#include <string>
#include <vector>

#include "bench/load.hpp"

namespace bench {

struct load_figure {
  const char* name;  // in load_samples
  const char* workload;
  const char* title;
  enum { times, mean, percent } kind;
};
const std::vector<load_figure>& load_figures();

struct load_result {
  load_workload load;
  load_samples weft, migratable, unpreempted, go;  // empty: not asked
};

struct load_report {
  std::vector<load_result> results;
  std::string go;  // its version, or why there is none
  bool quick = false;
};

void print_table(const load_report&);
std::string to_json(const load_report&);

}  // namespace bench
