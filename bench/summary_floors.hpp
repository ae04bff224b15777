// The least that a question takes on this machine, whoever answers it: of the steps that none can do without, as
// `machine` has measured them in the same call.
#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/support/comparison.hpp"

namespace bench {

struct row_floor {
  const comparison_row* row;
  double value;         // in the row's unit; where more is better, the most
  std::string made_of;  // "2 x switch + 4 x locked instruction"

  double ratio() const;  // weft's figure over it, or where more is better the other way round
};

// Of the rows that weft has a figure for and a floor is known of; `machine` as that program has left it, or null.
std::vector<row_floor> floors_of(const comparison& rows, const nlohmann::json& machine);

nlohmann::json to_json(const std::vector<row_floor>&);
void print_floors(const std::vector<row_floor>&, std::FILE* to);
std::string to_markdown(const std::vector<row_floor>&);  // where the goal is not reached

}  // namespace bench
