// Where no rival has an answer the axis is weft over its goal, and the bar is pale. What lies beyond the axis is drawn
// at its end.
#include "bench/support/bar_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>

#include "bench/support/table.hpp"

namespace bench {
namespace {

constexpr double k_left = 460;  // where the axis begins
constexpr double k_width = 400;
constexpr double k_right = 200;  // for the figures
constexpr double k_top = 92;
constexpr double k_pitch = 17;
constexpr double k_bar = 9;
constexpr std::array k_ticks{0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0};

// Each fill is told from the others, and from either paper.
constexpr const char* k_style = R"(<style>
.paper{fill:#fff}text{fill:#1f2328}.quiet{fill:#656d76}.grid{stroke:#d8dee4}.one{stroke:#1f2328}.goal{stroke:#1f2328}
.ahead{fill:#2da44e}.behind{fill:#e16f24}.pale{opacity:.4}
@media(prefers-color-scheme:dark){.paper{fill:#0d1117}text{fill:#e6edf3}.quiet{fill:#8b949e}.grid{stroke:#30363d}
.one{stroke:#e6edf3}.goal{stroke:#e6edf3}}
</style>
)";

const char* colour_of(const std::string& rival) {
  static const std::map<std::string, const char*> all{{"Go", "#1f9fd0"},    {"Boost.Fiber", "#b08800"},
                                                      {"tokio", "#a05fd6"}, {"oneTBB", "#d6558f"},
                                                      {"Asio", "#5a7de0"},  {"epoll", "#848d97"}};
  return all.at(rival);
}

double x_of(double ratio) {
  const double at = (std::log10(std::max(ratio, 1e-9)) + 1) / 2;
  return k_left + k_width * std::clamp(at, 0.0, 1.0);
}

template <class... Arguments>
void put(std::string& out, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Arguments>(arguments)...);
}

void draw_bar(const comparison_row& row, double y, double ratio, bool pale, std::string& out) {
  const double from = std::min(x_of(1), x_of(ratio));
  put(out, "<rect class=\"{}{}\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"><title>{}</title></rect>\n",
      ratio <= 1 ? "ahead" : "behind", pale ? " pale" : "", from, y - k_bar / 2,
      std::max(std::abs(x_of(ratio) - x_of(1)), 1.0), k_bar, row.title);
}

void draw_row(const comparison_row& row, double y, std::string& out) {
  put(out, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{} <tspan class=\"quiet\">P{}</tspan></text>\n", k_left - 12,
      y + 4, row.title, row.processors);
  const auto ours = row.value("weft");
  const auto best = row.best_rival();
  const auto ratio = best ? row.to_best_rival() : row.to_goal();
  if (!ours || !ratio) {
    put(out, "<text class=\"quiet\" x=\"{}\" y=\"{}\">no figures</text>\n", k_left + k_width + 12, y + 4);
    return;
  }
  draw_bar(row, y, *ratio, !best, out);
  if (best) {
    const double base = row.values.at(*best);
    if (row.goal > 0)
      put(out, "<path class=\"goal\" stroke-width=\"2\" d=\"M{:.1f} {}v{}\"/>\n", x_of(row.ratio(row.goal, base)),
          y - k_bar / 2 - 2, k_bar + 4);
    for (const auto& [who, value] : row.values)
      if (who != "weft")
        put(out, "<circle cx=\"{:.1f}\" cy=\"{}\" r=\"3.5\" fill=\"{}\"><title>{}: {} {}</title></circle>\n",
            x_of(row.ratio(value, base)), y, colour_of(who), who, format_number(value), row.unit);
  }
  put(out, "<text x=\"{}\" y=\"{}\">{} {} <tspan class=\"quiet\">{}</tspan></text>\n", k_left + k_width + 12, y + 4,
      format_number(*ours), row.unit, format_ratio(*ratio) + (best ? " " + *best : " goal"));
}

void draw_axis(double bottom, std::string& out) {
  for (const double tick : k_ticks) {
    put(out, "<path class=\"{}\" d=\"M{:.1f} {}V{}\"/>\n", tick == 1 ? "one" : "grid", x_of(tick), k_top - 6, bottom);
    put(out, "<text class=\"quiet\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x_of(tick), k_top - 10,
        fmt::format("{:g}x", tick));
  }
}

void draw_legend(const comparison& all, std::string& out) {
  double x = k_left;
  const auto entry = [&](const std::string& sign, const std::string& text) {
    put(out, "<g transform=\"translate({} 50)\">{}<text x=\"13\" y=\"4\">{}</text></g>\n", x, sign, text);
    x += 30 + 6.3 * static_cast<double>(text.size());
  };
  for (const std::string& who : contestants())
    if (who != "weft" && std::ranges::any_of(all, [&](const auto& row) { return row.values.contains(who); }))
      entry(fmt::format("<circle cx=\"5\" r=\"3.5\" fill=\"{}\"/>", colour_of(who)), who);
  entry("<path class=\"goal\" stroke-width=\"2\" d=\"M5 -6v12\"/>", "goal");
}

}  // namespace

std::string render_svg(const comparison& all, const std::string& title) {
  const double bottom = k_top + k_pitch * static_cast<double>(all.size());
  std::string out;
  put(out,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" font-size=\"11\">\n",
      k_left + k_width + k_right, bottom + 16);
  out += k_style;
  put(out,
      "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n"
      "<text x=\"16\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{}</text>\n"
      "<text class=\"quiet\" x=\"16\" y=\"42\">bar: weft over the best rival, which is 1x; to the left, green: weft is "
      "better</text>\n"
      "<text class=\"quiet\" x=\"16\" y=\"58\">pale: no rival has an answer; over the goal</text>\n",
      title);
  draw_legend(all, out);
  draw_axis(bottom, out);
  for (std::size_t i = 0; i < all.size(); ++i) draw_row(all[i], k_top + k_pitch * (static_cast<double>(i) + 0.5), out);
  return out + "</svg>\n";
}

}  // namespace bench
