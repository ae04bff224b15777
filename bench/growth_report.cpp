// A table for each question, with a column for each n. A cost that has grown since the n before by more than log n has
// is marked; what is marked is listed once more below, beside the same step in Go and what the machine's memory does.
#include "bench/growth_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "bench/support/line_charts.hpp"
#include "bench/support/results.hpp"
#include "bench/support/statistics.hpp"
#include "bench/support/table.hpp"

namespace bench {
namespace {

constexpr double k_noise = 1.1;  // what a median may have grown by without meaning it

using samples = std::vector<double> growth_cost::*;

// By how much log n grows from one n to the next; an element may cost so much more.
double allowed(int from, int to) { return std::log(std::max(to, 2)) / std::log(std::max(from, 2)); }

// By how much the cost has grown at the i-th n; nothing where there is none before, or it was not measured.
std::optional<double> step(const growth_series& s, std::size_t i, samples whose) {
  if (i == 0 || (s.costs[i].*whose).empty() || (s.costs[i - 1].*whose).empty()) return std::nullopt;
  return median(s.costs[i].*whose) / median(s.costs[i - 1].*whose);
}

bool too_fast(const growth_series& s, std::size_t i, samples whose) {
  const auto grown = step(s, i, whose);
  return grown && *grown > k_noise * allowed(s.costs[i - 1].n, s.costs[i].n);
}

// "0.42 ns" where a duration would be 0.
std::string cost_text(double ns) { return ns < 10 ? format_number(ns) + " ns" : format_duration(ns); }

void add_row(table& t, const growth_series& s, std::string title, std::string who, samples whose) {
  if (std::ranges::all_of(s.costs, [&](const growth_cost& c) { return (c.*whose).empty(); })) return;
  if (s.processors != 0) who += fmt::format(", P{}", s.processors);
  std::vector<std::string> cells{std::move(title), std::move(who)};
  for (std::size_t i = 0; i < s.costs.size(); ++i)
    cells.push_back(cost_text(median(s.costs[i].*whose)) + (too_fast(s, i, whose) ? "!" : " "));
  t.row(std::move(cells));
}

void print_question(const growth_report& report, const std::string& question) {
  std::optional<table> t;
  std::string title;
  for (const growth_series& s : report.series) {
    if (s.question != question) continue;
    if (!t) {
      std::vector<std::string> heading{s.across, ""};
      for (const growth_cost& c : s.costs) heading.push_back(format_count(c.n) + " ");
      t.emplace(std::move(heading));
    }
    add_row(*t, s, s.figure.title == title ? "" : s.figure.title, "weft", &growth_cost::weft);
    add_row(*t, s, "", "Go", &growth_cost::go);
    title = s.figure.title;
  }
  if (t) t->print(stdout);
  fmt::print("\n");
}

std::string step_text(const std::optional<double>& grown) { return grown ? format_ratio(*grown) : ""; }

void print_steps(const growth_report& report) {
  table t({"grown by more than log n", "", "from", "to", "weft", "Go", "log n"});
  bool any = false;
  for (const growth_series& s : report.series)
    for (std::size_t i = 1; i < s.costs.size(); ++i) {
      if (!too_fast(s, i, &growth_cost::weft)) continue;
      any = true;
      t.row({s.figure.title, s.processors == 0 ? "" : fmt::format("P{}", s.processors), format_count(s.costs[i - 1].n),
             format_count(s.costs[i].n), step_text(step(s, i, &growth_cost::weft)),
             step_text(step(s, i, &growth_cost::go)), format_ratio(allowed(s.costs[i - 1].n, s.costs[i].n))});
    }
  if (any)
    t.print(stdout);
  else
    fmt::print("Nothing has grown by more than log n.\n");
}

const char* name_of(int style) {
  constexpr const char* k_names[] = {"weft, P1 (or n)", "weft, P2", "Go, P1 (or n)", "Go, P2"};
  return k_names[style];
}

void add_line(line_chart& chart, const growth_series& s, samples whose, int style) {
  chart_line line{name_of(style), style, {}};
  for (const growth_cost& c : s.costs)
    if (!(c.*whose).empty()) line.points.emplace_back(c.n, median(c.*whose));
  if (!line.points.empty()) chart.lines.push_back(std::move(line));
}

}  // namespace

void print_table(const growth_report& report) {
  fmt::print("What one element costs among n of them; !: it has grown by more than log n. Go: {}.\n\n", report.go);
  std::string question;
  for (const growth_series& s : report.series)
    if (s.question != question) print_question(report, question = s.question);
  print_steps(report);
}

std::string to_json(const growth_report& report) {
  const auto cost = [](const std::vector<double>& all) -> nlohmann::json {
    if (all.empty()) return nullptr;
    return median(all);
  };
  nlohmann::json series = nlohmann::json::array();
  for (const growth_series& s : report.series) {
    nlohmann::json points = nlohmann::json::array();
    for (std::size_t i = 0; i < s.costs.size(); ++i) {
      const growth_cost& c = s.costs[i];
      points.push_back({{"n", c.n},
                        {"samples", c.weft.size()},
                        {"weft", cost(c.weft)},
                        {"go", cost(c.go)},
                        {"weft_too_fast", too_fast(s, i, &growth_cost::weft)},
                        {"go_too_fast", too_fast(s, i, &growth_cost::go)}});
    }
    nlohmann::json entry{{"name", s.figure.name}, {"n_counts", s.across}, {"unit", "ns"}, {"points", points}};
    entry["processors"] = s.processors == 0 ? nlohmann::json("n") : nlohmann::json(s.processors);
    series.push_back(std::move(entry));
  }
  return nlohmann::json{{"benchmark", "growth"},
                        {"quick", report.quick},
                        {"go", report.go},
                        {"machine", machine_facts()},
                        {"series", series}}
      .dump(2);
}

std::string to_svg(const growth_report& report) {
  std::vector<line_chart> charts;
  for (const growth_series& s : report.series) {
    if (charts.empty() || charts.back().title != s.figure.title) charts.push_back({s.figure.title, s.across, {}});
    const int second = s.processors > 1 ? 1 : 0;
    add_line(charts.back(), s, &growth_cost::weft, second);
    add_line(charts.back(), s, &growth_cost::go, 2 + second);
  }
  return render_svg("How cost grows", "what one element costs among n", charts);
}

}  // namespace bench
