// A plain text table with headings, and the way the benchmarks write durations, counts and ratios.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace bench {

std::string format_duration(double nanoseconds);  // three digits and a unit: "734 ns", "1.25 us", "12.5 ms"
std::string format_number(double value);          // three digits or a whole number, no unit
std::string format_ratio(double value);           // "0.42x"
std::string format_count(long long value);        // "100,000"

class table {
 public:
  explicit table(std::vector<std::string> heading) : heading_(std::move(heading)) {}

  void section(std::string title);           // a line of its own above the rows that follow
  void row(std::vector<std::string> cells);  // the first two columns are flush left, the others flush right
  void print(std::FILE* to) const;

 private:
  struct line {
    std::string section;
    std::vector<std::string> cells;
  };

  std::vector<std::string> heading_;
  std::vector<line> lines_;
};

}  // namespace bench
