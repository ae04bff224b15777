// What cancel_latency shows: the table, the JSON, the picture.
#pragma once

#include <string>
#include <vector>

#include "bench/cancel_latency_series.hpp"

namespace bench {

struct cancel_result {
  cancel_workload load;
  cancel_series weft;
  cancel_series go;  // no rounds: not measured
};

struct cancel_report {
  std::string go;  // its version, or why it is not in the table
  bool quick = false;
  std::vector<cancel_result> results;
};

void print_table(const cancel_report& report);
std::string to_json(const cancel_report& report);
std::string to_svg(const cancel_report& report);

}  // namespace bench
