// Small pictures side by side, each with lines over logarithmic axes, as SVG.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bench {

struct chart_line {
  std::string name;
  int style = 0;                                  // lines of one style look alike in all charts
  std::vector<std::pair<double, double>> points;  // x, y; both above zero
};

struct line_chart {
  std::string title;
  std::string across;  // what x is
  std::vector<chart_line> lines;
};

// `down`: what y is, in all of them: nanoseconds, written as durations.
std::string render_svg(const std::string& title, const std::string& down, const std::vector<line_chart>& charts);

}  // namespace bench
