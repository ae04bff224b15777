// A picture of many measurements: panels of coloured cells on one logarithmic colour scale, as SVG.
#pragma once

#include <string>
#include <vector>

namespace bench {

struct heat_panel {
  int row = 0;  // its place in the grid of panels
  int column = 0;
  std::string title;
  std::vector<std::vector<float>> cells;  // nanoseconds: cells[y][x]; rows may differ in length
};

struct heat_map {
  std::string title;
  std::string across;  // what x is
  std::string down;    // what y is
  std::vector<heat_panel> panels;
};

std::string render_svg(const heat_map& map);

}  // namespace bench
