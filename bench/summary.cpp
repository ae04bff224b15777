// Every figure that weft has a goal for, in one table: read from what compare, preemption and echo have left.
//
// Each of them empties its file when it begins: a figure of an earlier call is not taken for one of this.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "bench/summary_floors.hpp"
#include "bench/support/bar_chart.hpp"
#include "bench/support/command_line.hpp"
#include "bench/support/comparison.hpp"
#include "bench/support/metrics.hpp"
#include "bench/support/places.hpp"
#include "bench/support/results.hpp"

namespace {

using namespace bench;

std::optional<std::string> parse(int argc, char** argv, int& status) {
  command_line line("summary",
                    "Every figure that weft has a goal for, from what compare, preemption and echo have left.");
  std::string out;
  line.results(out);
  if (!line.parse(argc, argv, status)) return std::nullopt;
  return out;
}

struct results {
  nlohmann::json compare, preemption, echo, machine;  // null where there are none
};

nlohmann::json read(const std::string& folder, const std::string& program) {
  std::ifstream file(fmt::format("{}/{}.json", folder, program));
  auto all = nlohmann::json::parse(file, nullptr, false);
  if (all.is_discarded()) {
    fmt::print("{}: no results in {}\n", program, folder);
    return nullptr;
  }
  return all;
}

// Calls use(figure) for the first that is meant.
void find(const nlohmann::json& from, const std::function<bool(const nlohmann::json&)>& meant, const auto& use) {
  if (from.is_null()) return;
  const auto& figures = from.at("figures");
  const auto found = std::ranges::find_if(figures, meant);
  if (found != figures.end()) use(*found);
}

comparison_row from_compare(const results& all, const metric& m, unsigned processors) {
  comparison_row row(m, processors);
  find(
      all.compare, [&](const auto& f) { return f.at("name") == m.name && f.at("processors") == processors; },
      [&](const auto& f) { row.values = f.at("values").template get<std::map<std::string, double>>(); });
  return row;
}

// NAME_HOGS_PERCENT, or NAME_PERCENT where there are no hogs; hogs are counted for each processor.
comparison_row from_preemption(const results& all, const metric& m, unsigned processors) {
  comparison_row row(m, processors);
  const std::string name = m.name;
  const std::string percent = name.substr(name.rfind('_') + 1);
  const std::string figure = name.substr(0, name.find('_'));
  const unsigned hogs = figure == "deadline" ? processors * static_cast<unsigned>(name[figure.size() + 1] - '0') : 0;
  find(
      all.preemption,
      [&](const auto& f) { return f.at("name") == figure && f.at("processors") == processors && f.at("hogs") == hogs; },
      [&](const auto& f) {
        if (!f.at("weft").is_null()) row.values["weft"] = f.at("weft").at(percent).template get<double>() / 1e3;
        if (!f.at("go").is_null()) row.values["Go"] = f.at("go").at(percent).template get<double>() / 1e3;
      });
  return row;
}

comparison_row from_echo(const results& all, const metric& m, unsigned processors) {
  comparison_row row(m, processors);
  const int connections = std::stoi(std::string(m.name).substr(5));
  for (const std::string& who : contestants())
    find(
        all.echo, [&](const auto& f) { return f.at("server") == who && f.at("connections") == connections; },
        [&](const auto& f) { row.values[who] = f.at("requests_per_second").template get<double>(); });
  return row;
}

comparison every_goal(const results& all) {
  comparison rows;
  const auto add = [&](const metric& m, const auto& from) {
    for (unsigned processors : {1U, 2U})
      if (m.goal(processors) > 0) rows.push_back(from(all, m, processors));
  };
  for (const metric& m : metrics()) add(m, from_compare);
  for (const metric& m : other_metrics())
    add(m, std::string_view(m.name).starts_with("echo") ? from_echo : from_preemption);
  return rows;
}

bool is_quick(const nlohmann::json& from) { return !from.is_null() && from.at("quick").get<bool>(); }

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  const auto out = parse(argc, argv, status);
  if (!out) return status;
  try {
    const results all{read(*out, "compare"), read(*out, "preemption"), read(*out, "echo"), read(*out, "machine")};
    const comparison rows = every_goal(all);
    const bool quick = is_quick(all.compare) || is_quick(all.preemption) || is_quick(all.echo) || is_quick(all.machine);
    if (quick) fmt::print("A quick run: the figures are rough.\n");
    print_table(rows, stdout);
    const auto missing = std::ranges::count_if(rows, [](const auto& row) { return !row.value("weft"); });
    if (missing != 0) fmt::print("{} rows have no figure of weft's.\n", missing);
    const std::vector<row_floor> floors = floors_of(rows, all.machine);
    print_floors(floors, stdout);
    const nlohmann::json figures{{"benchmark", "summary"},
                                 {"quick", quick},
                                 {"machine", machine_facts()},
                                 {"figures", to_json(rows)},
                                 {"floors", to_json(floors)}};
    write_file(*out + "/summary.json", figures.dump(2) + '\n');
    write_file(*out + "/summary.svg", render_svg(rows, "weft, its rivals and its goals"));
    write_file(*out + "/summary.md", to_markdown(rows) + '\n' + to_markdown(floors));
    fmt::print("\nfigures: {0}/summary.json\npicture: {0}/summary.svg\nfor the README: {0}/summary.md\n", *out);
    return missing == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "summary: {}\n", error.what());
    return 1;
  }
}
