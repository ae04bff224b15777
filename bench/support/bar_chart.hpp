// A comparison as a picture, SVG: for each question weft over the best rival as a bar on a logarithmic axis, the other
// rivals as dots, the goal as a stroke. It follows the reader's light or dark colours.
#pragma once

#include <string>

#include "bench/support/comparison.hpp"

namespace bench {

std::string render_svg(const comparison&, const std::string& title);

}  // namespace bench
