// Each chart has axes of its own, whole decades around its points; the lines' names stand at the top, once for all.
#include "bench/support/line_charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>

#include "bench/support/table.hpp"

namespace bench {
namespace {

constexpr int k_columns = 4;
constexpr int k_width = 250;  // of the field with the lines
constexpr int k_height = 150;
constexpr int k_left = 62;
constexpr int k_pitch_x = k_width + k_left + 18;
constexpr int k_pitch_y = k_height + 72;
constexpr int k_top = 90;

// Told apart by those who do not see colours, too: dark against light, full against dashed.
struct stroke {
  const char* colour;
  const char* dashes;
};
constexpr std::array<stroke, 4> k_strokes{{{"#1b4f8f", ""}, {"#6aaed6", ""}, {"#b5521b", "6 3"}, {"#f0a35e", "6 3"}}};

const stroke& stroke_of(int style) { return k_strokes[static_cast<std::size_t>(style) % k_strokes.size()]; }

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

struct axis {
  int first = 0;  // decades
  int last = 1;

  double place(double value) const { return (std::log10(value) - first) / (last - first); }
};

axis axis_over(const line_chart& chart, bool across) {
  double low = 1e300;
  double high = 0;
  for (const chart_line& line : chart.lines)
    for (const auto& [x, y] : line.points) {
      low = std::min(low, across ? x : y);
      high = std::max(high, across ? x : y);
    }
  if (high == 0) return {};
  const int first = static_cast<int>(std::floor(std::log10(low)));
  return {first, std::max(static_cast<int>(std::ceil(std::log10(high))), first + 1)};
}

std::string power(int decade) {
  return decade < 4 ? fmt::format("{:g}", std::pow(10.0, decade)) : fmt::format("10^{}", decade);
}

void draw_axes(const axis& across, const axis& down, std::string& out) {
  const auto to = std::back_inserter(out);
  for (int decade = across.first; decade <= across.last; ++decade) {
    const double x = across.place(std::pow(10.0, decade)) * k_width;
    fmt::format_to(to, "<path class=\"grid\" d=\"M{:.1f} 0V{}\"/>\n", x, k_height);
    fmt::format_to(to, "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x, k_height + 14,
                   power(decade));
  }
  for (int decade = down.first; decade <= down.last; ++decade) {
    const double y = (1 - down.place(std::pow(10.0, decade))) * k_height;
    fmt::format_to(to, "<path class=\"grid\" d=\"M0 {:.1f}H{}\"/>\n", y, k_width);
    fmt::format_to(
        to, "<text x=\"-5\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", y + 4,
        decade < 0 ? fmt::format("{:g} ns", std::pow(10.0, decade)) : format_duration(std::pow(10.0, decade)));
  }
}

void draw_chart(const line_chart& chart, int place, std::string& out) {
  const axis across = axis_over(chart, true);
  const axis down = axis_over(chart, false);
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "<g transform=\"translate({} {})\">\n<text class=\"title\" x=\"0\" y=\"-8\">{}</text>\n",
                 k_left + place % k_columns * k_pitch_x, k_top + place / k_columns * k_pitch_y, escaped(chart.title));
  draw_axes(across, down, out);
  for (const chart_line& line : chart.lines) {
    const stroke& s = stroke_of(line.style);
    std::string path;
    for (const auto& [x, y] : line.points) {
      const double right = across.place(x) * k_width;
      const double below = (1 - down.place(y)) * k_height;
      fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", path.empty() ? 'M' : 'L', right, below);
      fmt::format_to(to, "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.2\" fill=\"{}\"/>\n", right, below, s.colour);
    }
    fmt::format_to(to, "<path class=\"line\" stroke=\"{}\" stroke-dasharray=\"{}\" d=\"{}\"/>\n", s.colour, s.dashes,
                   path);
  }
  fmt::format_to(to, "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n</g>\n", k_width / 2, k_height + 28,
                 escaped(chart.across));
}

void draw_legend(const std::vector<line_chart>& charts, std::string& out) {
  std::map<int, std::string> names;
  for (const line_chart& chart : charts)
    for (const chart_line& line : chart.lines) names.emplace(line.style, line.name);
  int x = k_left;
  for (const auto& [style, name] : names) {
    const stroke& s = stroke_of(style);
    fmt::format_to(std::back_inserter(out),
                   "<path class=\"line\" stroke=\"{}\" stroke-dasharray=\"{}\" d=\"M{} 50h30\"/>\n"
                   "<text x=\"{}\" y=\"54\">{}</text>\n",
                   s.colour, s.dashes, x, x + 36, escaped(name));
    x += 150;
  }
}

}  // namespace

std::string render_svg(const std::string& title, const std::string& down, const std::vector<line_chart>& charts) {
  const int rows = (static_cast<int>(charts.size()) + k_columns - 1) / k_columns;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" font-family=\"sans-serif\" "
      "font-size=\"11\">\n<style>.grid{{stroke:#ddd}}.line{{fill:none;stroke-width:1.6}}.title{{font-weight:bold}}"
      "</style>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{}\" y=\"24\" font-size=\"15\">{}; "
      "{}</text>\n",
      k_columns * k_pitch_x + k_left, k_top + rows * k_pitch_y, k_left, escaped(title), escaped(down));
  draw_legend(charts, out);
  for (std::size_t i = 0; i < charts.size(); ++i) draw_chart(charts[i], static_cast<int>(i), out);
  return out + "</svg>\n";
}

}  // namespace bench
