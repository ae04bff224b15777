// Three lines a workload: weft, Go, and weft's figures over Go's (below 1: weft is faster).
#include "bench/cancel_latency_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "bench/cancel_latency_options.hpp"
#include "bench/support/heat_map.hpp"
#include "bench/support/places.hpp"
#include "bench/support/results.hpp"
#include "bench/support/table.hpp"

namespace bench {
namespace {

constexpr std::array k_figures{&cancel_figures::cancel, &cancel_figures::p50, &cancel_figures::p99,
                               &cancel_figures::p999,   &cancel_figures::max, &cancel_figures::last};
constexpr std::array k_figure_names{"cancel", "p50", "p99", "p99.9", "max", "last"};

std::string title_of(const cancel_workload& load) {
  return fmt::format("{}{}", bench::title_of(load.wait), load.bound ? ", thrown" : "");
}

std::string section_of(const cancel_workload& load) {
  return fmt::format("{} {}, {} {}", format_count(load.fibers), load.fibers == 1 ? "fiber" : "fibers", load.processors,
                     load.processors == 1 ? "processor" : "processors");
}

template <class Format>
std::vector<std::string> cells(std::string first, std::string second, Format format) {
  std::vector<std::string> row{std::move(first), std::move(second)};
  for (const auto figure : k_figures) row.push_back(format(figure));
  return row;
}

void add_rows(table& to, const cancel_result& result) {
  const cancel_figures weft = result.weft.figures();
  to.row(cells(title_of(result.load), "weft", [&](auto figure) { return format_duration(weft.*figure); }));
  if (result.go.rounds() == 0) return;
  const cancel_figures go = result.go.figures();
  to.row(cells("", "Go", [&](auto figure) { return format_duration(go.*figure); }));
  to.row(cells("", "weft/Go", [&](auto figure) { return format_ratio(weft.*figure / std::max(go.*figure, 1.0)); }));
}

nlohmann::json json_of(const cancel_series& series) {
  if (series.rounds() == 0) return nullptr;
  nlohmann::json out{{"rounds", series.rounds()}, {"rounds_not_at_rest", series.unrested()}};
  const cancel_figures figures = series.figures();
  for (std::size_t i = 0; i < k_figures.size(); ++i)
    out[fmt::format("{}_ns", k_figure_names[i])] = figures.*k_figures[i];
  return out;
}

// Many short rounds become few rows, each the worst of its rounds.
std::vector<std::vector<float>> at_most_rows(const std::vector<std::vector<float>>& rounds, std::size_t rows) {
  rows = std::min(rows, rounds.size());
  std::vector<std::vector<float>> out(rows);
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    std::vector<float>& row = out[i * rows / rounds.size()];
    row.resize(std::max(row.size(), rounds[i].size()));
    for (std::size_t bin = 0; bin < rounds[i].size(); ++bin) row[bin] = std::max(row[bin], rounds[i][bin]);
  }
  return out;
}

}  // namespace

void print_table(const cancel_report& report) {
  fmt::print("From the call of cancel() until each fiber ran: medians over rounds. Go: {}.\n", report.go);
  table t({"waiting in", "", "cancel()", "p50", "p99", "p99.9", "max", "last ran"});
  std::string section;
  int unrested = 0;
  int rounds = 0;
  for (const cancel_result& result : report.results) {
    if (section != section_of(result.load)) t.section(section = section_of(result.load));
    add_rows(t, result);
    unrested += result.weft.unrested() + result.go.unrested();
    rounds += result.weft.rounds() + result.go.rounds();
  }
  t.print(stdout);
  if (unrested != 0)
    fmt::print("\n{} of {} rounds began before all other threads were seen asleep.\n", unrested, rounds);
}

std::string to_json(const cancel_report& report) {
  nlohmann::json workloads = nlohmann::json::array();
  for (const cancel_result& result : report.results) {
    nlohmann::json entry{{"wait", name_of(result.load.wait)},
                         {"fibers", result.load.fibers},
                         {"processors", result.load.processors},
                         {"bound", result.load.bound},
                         {"weft", json_of(result.weft)},
                         {"go", json_of(result.go)},
                         {"weft_over_go", nullptr}};
    if (result.go.rounds() != 0) {
      nlohmann::json ratios;
      for (std::size_t i = 0; i < k_figures.size(); ++i)
        ratios[k_figure_names[i]] =
            result.weft.figures().*k_figures[i] / std::max(result.go.figures().*k_figures[i], 1.0);
      entry["weft_over_go"] = ratios;
    }
    workloads.push_back(std::move(entry));
  }
  return nlohmann::json{{"benchmark", "cancel_latency"},
                        {"quick", report.quick},
                        {"go", report.go},
                        {"machine", machine_facts()},
                        {"workloads", workloads}}
      .dump(2);
}

std::string to_svg(const cancel_report& report) {
  constexpr std::size_t k_rows = 32;
  heat_map map{.title = "From cancel() until each fiber ran",
               .across = "fibers in order of spawning, the worst of each bin",
               .down = "rounds",
               .panels = {}};
  std::map<std::string, int>
      rows;  // one row of panels for a wait and a number of processors, one column or two for a number of fibers
  std::map<int, int> columns;
  const bool with_go = std::ranges::any_of(report.results, [](const cancel_result& r) { return r.go.rounds() != 0; });
  for (const cancel_result& result : report.results) columns.try_emplace(result.load.fibers, 0);
  for (int at = 0; auto& [fibers, column] : columns) column = (with_go ? 2 : 1) * at++;
  for (const cancel_result& result : report.results) {
    const cancel_workload& load = result.load;
    const int row =
        rows.try_emplace(fmt::format("{} {}", title_of(load), load.processors), static_cast<int>(rows.size()))
            .first->second;
    const int column = columns[load.fibers];
    const auto add = [&](const char* runtime, const cancel_series& series, int at) {
      if (series.rounds() == 0) return;
      map.panels.push_back({row, at,
                            fmt::format("{}: {}{}, {} on {}", runtime, name_of(load.wait), load.bound ? " thrown" : "",
                                        format_count(load.fibers), load.processors),
                            at_most_rows(series.worst(), k_rows)});
    };
    add("weft", result.weft, column);
    add("Go", result.go, column + 1);
  }
  return render_svg(map);
}

}  // namespace bench
