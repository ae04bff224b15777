// The command line of cancel_latency.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench/cancel_rounds.hpp"

namespace bench {

struct cancel_options {
  bool quick = false;
  bool bound = false;
  bool rivals = true;
  int rounds = 0;  // 0: chosen by the number of fibers
  std::vector<int> fibers{1, 1000, 100'000};
  std::vector<unsigned> processors;
  std::vector<wait_kind> waits;
  std::filesystem::path out;
  std::filesystem::path json;
  std::filesystem::path svg;

  std::vector<cancel_workload> workloads() const;  // in the order of the table
};

const char* name_of(wait_kind wait);   // as on the command line: "recv"
const char* title_of(wait_kind wait);  // as in the table: "channel receive"

// Empty: the program is done (help was asked for, or the options were wrong and that was said); leave with `status`.
std::optional<cancel_options> parse_cancel_options(int argc, char** argv, int& status);

}  // namespace bench
