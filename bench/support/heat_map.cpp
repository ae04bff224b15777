// Cells of one colour in a panel share one path, so that a picture of a hundred thousand cells stays small.
#include "bench/support/heat_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "bench/support/table.hpp"

namespace bench {
namespace {

constexpr int k_shades = 40;
constexpr int k_panel_width = 168;
constexpr int k_panel_height = 84;
constexpr int k_pitch_x = k_panel_width + 14;
constexpr int k_pitch_y = k_panel_height + 32;
constexpr int k_left = 34;
constexpr int k_top = 92;

// From dark blue over green to yellow, even in lightness, so that it reads in grey as well.
std::string shade_colour(int shade) {
  static constexpr std::array<std::array<double, 3>, 6> k_stops{
      {{48, 18, 92}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}, {255, 255, 220}}};
  const double at = static_cast<double>(shade) / (k_shades - 1) * (k_stops.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(at), k_stops.size() - 2);
  const double part = at - static_cast<double>(low);
  std::array<int, 3> rgb{};
  for (std::size_t i = 0; i < 3; ++i)
    rgb[i] = static_cast<int>(std::lround(k_stops[low][i] + part * (k_stops[low + 1][i] - k_stops[low][i])));
  return fmt::format("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]);
}

// Whole decades around all values.
struct scale {
  int first_decade;
  int last_decade;

  int shade(float nanoseconds) const {
    const double at = (std::log10(std::max(nanoseconds, 1.0F)) - first_decade) / (last_decade - first_decade);
    return std::clamp(static_cast<int>(at * k_shades), 0, k_shades - 1);
  }
};

scale scale_over(const heat_map& map) {
  float low = 1e12F;
  float high = 1;
  for (const heat_panel& panel : map.panels)
    for (const auto& row : panel.cells)
      for (float value : row) {
        low = std::min(low, std::max(value, 1.0F));
        high = std::max(high, value);
      }
  const int first = static_cast<int>(std::floor(std::log10(std::min(low, high))));
  const int last = static_cast<int>(std::ceil(std::log10(high)));
  return {first, std::max(last, first + 1)};
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (char c : text) {
    if (c == '<')
      safe += "&lt;";
    else if (c == '&')
      safe += "&amp;";
    else
      safe += c;
  }
  return safe;
}

void draw_panel(const heat_panel& panel, const scale& colours, std::string& out) {
  const int x = k_left + panel.column * k_pitch_x;
  const int y = k_top + panel.row * k_pitch_y;
  fmt::format_to(std::back_inserter(out), "<text x=\"{}\" y=\"{}\">{}</text>\n", x, y - 5, escaped(panel.title));
  std::array<std::string, k_shades> paths;
  std::size_t widest = 1;
  for (const auto& row : panel.cells) widest = std::max(widest, row.size());
  for (std::size_t line = 0; line < panel.cells.size(); ++line) {
    const auto& row = panel.cells[line];
    for (std::size_t begin = 0, end = 0; begin < row.size(); begin = end) {
      const int shade = colours.shade(row[begin]);
      for (end = begin + 1; end < row.size() && colours.shade(row[end]) == shade;) ++end;
      fmt::format_to(std::back_inserter(paths[static_cast<std::size_t>(shade)]), "M{} {}h{}v1h-{}z", begin, line,
                     end - begin, end - begin);
    }
  }
  fmt::format_to(
      std::back_inserter(out),
      "<g transform=\"translate({} {}) scale({:.5f} {:.5f})\" shape-rendering=\"crispEdges\">\n", x, y,
      static_cast<double>(k_panel_width) / static_cast<double>(widest),
      static_cast<double>(k_panel_height) / static_cast<double>(std::max<std::size_t>(panel.cells.size(), 1)));
  for (int shade = 0; shade < k_shades; ++shade)
    if (const std::string& path = paths[static_cast<std::size_t>(shade)]; !path.empty())
      fmt::format_to(std::back_inserter(out), "<path fill=\"{}\" d=\"{}\"/>\n", shade_colour(shade), path);
  out += "</g>\n";
}

void draw_legend(const scale& colours, std::string& out) {
  constexpr int k_width = 360;
  constexpr int k_y = 40;
  for (int shade = 0; shade < k_shades; ++shade)
    fmt::format_to(std::back_inserter(out), "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"10\" fill=\"{}\"/>\n",
                   k_left + shade * k_width / k_shades, k_y, k_width / k_shades, shade_colour(shade));
  const int decades = colours.last_decade - colours.first_decade;
  for (int i = 0; i <= decades; ++i)
    fmt::format_to(std::back_inserter(out), "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                   k_left + i * k_width / decades, k_y + 22, format_duration(std::pow(10.0, colours.first_decade + i)));
}

}  // namespace

std::string render_svg(const heat_map& map) {
  int rows = 1;
  int columns = 3;  // room for title and legend
  for (const heat_panel& panel : map.panels) {
    rows = std::max(rows, panel.row + 1);
    columns = std::max(columns, panel.column + 1);
  }
  const scale colours = scale_over(map);
  std::string out;
  fmt::format_to(std::back_inserter(out),
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
                 "font-family=\"sans-serif\" font-size=\"10\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
                 k_left + columns * k_pitch_x, k_top + rows * k_pitch_y);
  fmt::format_to(std::back_inserter(out),
                 "<text x=\"{}\" y=\"20\" font-size=\"15\" font-weight=\"bold\">{}</text>\n"
                 "<text x=\"{}\" y=\"34\">across: {}; down: {}; colour: latency</text>\n",
                 k_left, escaped(map.title), k_left, escaped(map.across), escaped(map.down));
  draw_legend(colours, out);
  for (const heat_panel& panel : map.panels) draw_panel(panel, colours, out);
  return out + "</svg>\n";
}

}  // namespace bench
