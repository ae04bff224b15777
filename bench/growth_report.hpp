// The series of growth as a table, as JSON and as a picture, and where an element's cost grows too fast.
#pragma once

#include <string>
#include <vector>

#include "bench/growth.hpp"

namespace bench {

struct growth_cost {
  int n;
  std::vector<double> weft, go;  // nanoseconds an element
};

struct growth_series {
  growth_figure figure;
  std::string question;
  std::string across;
  unsigned processors;  // 0: n of them
  std::vector<growth_cost> costs;
};

struct growth_report {
  std::vector<growth_series> series;
  std::string go;  // its version, or why there is none
  bool quick = false;
};

void print_table(const growth_report&);
std::string to_json(const growth_report&);
std::string to_svg(const growth_report&);

}  // namespace bench
