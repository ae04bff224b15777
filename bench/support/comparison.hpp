// What weft and its rivals gave for each question, beside the goal: as a table, as JSON, and as Markdown for the
// README.
#pragma once

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/support/metrics.hpp"

namespace bench {

struct comparison_row {
  comparison_row(const metric& about, unsigned on);

  std::string name;
  std::string title;
  std::string unit;
  unsigned processors;
  double goal;  // 0: none set
  bool more_is_better;
  std::map<std::string, double> values;  // by contestant; one that gave none is not there

  std::optional<double> value(const std::string& contestant) const;
  std::optional<std::string> best_rival() const;

  // A value, weft's or another, over one that it is compared with: below 1 it is the better.
  double ratio(double value, double over) const { return more_is_better ? over / value : value / over; }
  std::optional<double> to_best_rival() const;  // weft's
  std::optional<double> to_goal() const;
};

using comparison = std::vector<comparison_row>;

const std::vector<std::string>& contestants();  // weft first

// Ends with how many rows weft is first in, and in how many it reaches its goal.
void print_table(const comparison&, std::FILE* to);
nlohmann::json to_json(const comparison&);
std::string to_markdown(const comparison&);  // one line for both numbers of processors

}  // namespace bench
