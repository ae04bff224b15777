// The frame of a micro benchmark program, the same for weft and for the rivals written in C++: rows that each measure
// one question once, and a command line that runs some of them and prints medians as a table or as JSON.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

struct row_request {
  unsigned processors;
  bool quick;

  // How much work to do: all of it, or a tenth.
  int scaled(int full) const { return quick ? full / 10 : full; }
};

using row_values = std::vector<std::pair<std::string, double>>;  // a metric of support/metrics.hpp and its value

struct row {
  std::string name;
  std::vector<unsigned> processors;  // on which the question is asked
  std::function<row_values(const row_request&)> measure;
};

using rows = std::vector<row>;

// A program's whole main(). Exit status 2 for wrong options, 1 when a row fails.
int run_rows(int argc, char** argv, const std::string& program, const rows& all);

}  // namespace bench
