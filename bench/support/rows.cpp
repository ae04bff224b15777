// JSON is a list of {"name", "processors", "value"}; compare reads it from every rival.
#include "bench/support/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "bench/support/command_line.hpp"
#include "bench/support/metrics.hpp"
#include "bench/support/progress.hpp"
#include "bench/support/statistics.hpp"
#include "bench/support/table.hpp"

namespace bench {
namespace {

struct options {
  std::vector<std::string> rows;
  std::vector<unsigned> processors;
  int repeat = 5;
  bool quick = false;
  std::string json;
};

struct measured {
  std::string name;
  unsigned processors;
  std::vector<double> values;
};

std::optional<options> parse(int argc, char** argv, const std::string& program, const rows& all, int& status) {
  options o;
  std::vector<std::string> known;
  for (const row& r : all) known.push_back(r.name);
  for (const metric& m : metrics())  // a row that only others have is no mistake: it gives no figures
    if (std::ranges::find(known, m.row) == known.end()) known.emplace_back(m.row);
  command_line line(program, "Measures one question a row.");
  line.rows(o.rows, known);
  line.processors(o.processors);
  line.number("--repeat", o.repeat, 1, 1000, "medians over so many repetitions (default: 5)");
  line.flag("--quick", o.quick, "a tenth of the work");
  line.text("--json", o.json, "FILE", "figures as JSON into FILE, or to standard output for -");
  if (!line.parse(argc, argv, status)) return std::nullopt;
  return o;
}

void add(std::vector<measured>& to, const std::string& name, unsigned processors, double value) {
  for (measured& m : to)
    if (m.name == name && m.processors == processors) return m.values.push_back(value);
  to.push_back({name, processors, {value}});
}

std::vector<measured> measure(const options& o, const rows& all) {
  std::vector<measured> results;
  progress line(static_cast<int>(all.size()));
  for (const row& r : all) {
    line.step(r.name);
    if (!wanted(o.rows, r.name)) continue;
    for (unsigned processors : r.processors) {
      if (!wanted(o.processors, processors)) continue;
      for (int i = 0; i < o.repeat; ++i)
        for (const auto& [name, value] : r.measure({processors, o.quick})) add(results, name, processors, value);
    }
  }
  return results;
}

void write_json(const options& o, const std::vector<measured>& results) {
  nlohmann::json out = nlohmann::json::array();
  for (const measured& m : results)
    out.push_back({{"name", m.name}, {"processors", m.processors}, {"value", median(m.values)}});
  if (o.json == "-") {
    fmt::print("{}\n", out.dump(2));
    return;
  }
  std::ofstream file(o.json);
  file << out.dump(2) << '\n';
  if (!file.flush()) throw std::runtime_error("cannot write " + o.json);
}

void print_results(const std::vector<measured>& results) {
  table t({"what", "unit", "P", "value", "goal"});
  for (const measured& m : results) {
    const metric& about = metric_named(m.name);
    const double goal = about.goal(m.processors);
    t.row({about.title, about.unit, std::to_string(m.processors), format_number(median(m.values)),
           goal > 0 ? format_number(goal) : ""});
  }
  t.print(stdout);
}

}  // namespace

int run_rows(int argc, char** argv, const std::string& program, const rows& all) {
  int status = 0;
  const auto o = parse(argc, argv, program, all, status);
  if (!o) return status;
  try {
    const std::vector<measured> results = measure(*o, all);
    if (!o->json.empty()) write_json(*o, results);
    if (o->json != "-") print_results(results);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", program, error.what());
    return 1;
  }
  return 0;
}

}  // namespace bench
