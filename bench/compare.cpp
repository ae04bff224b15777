// weft beside its rivals: every question is put to each of them in turn, over and over, and the medians stand in one
// table and one picture.
//
// Each answer comes from a process of its own, so that no runtime inherits another's memory or threads. The order
// rotates from round to round. A rival that is not there, fails or does not end in time leaves its column empty, and
// says so; one that took over ten seconds for an answer is not asked again.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "bench/support/bar_chart.hpp"
#include "bench/support/command_line.hpp"
#include "bench/support/comparison.hpp"
#include "bench/support/metrics.hpp"
#include "bench/support/places.hpp"
#include "bench/support/process.hpp"
#include "bench/support/progress.hpp"
#include "bench/support/results.hpp"
#include "bench/support/rivals.hpp"
#include "bench/support/statistics.hpp"
#include "bench/support/stopwatch.hpp"

namespace {

using namespace bench;

struct options {
  std::vector<std::string> rows;
  int rounds = 0;  // 0: 5, or 3 when quick
  bool quick = false;
  bool rivals = true;
  std::string out;
  std::string json;
  std::string svg;
};

struct contestant {
  std::string name;
  std::filesystem::path program;  // takes --rows, --processors, --repeat, --quick and --json
  std::map<std::pair<std::string, unsigned>, std::vector<double>> values;
  std::map<std::string, std::string> failures;  // by row and processors
  std::set<std::string> slow;
};

std::vector<std::string> row_names() {
  std::vector<std::string> names;
  for (const metric& m : metrics())
    if (std::ranges::find(names, m.row) == names.end()) names.emplace_back(m.row);
  return names;
}

std::optional<options> parse(int argc, char** argv, int& status) {
  command_line line("compare", "weft and its rivals, question by question, in one table.");
  options o;
  line.rows(o.rows, row_names());
  line.number("--rounds", o.rounds, 1, 1000, "medians over so many rounds (default: 5)");
  line.flag("--quick", o.quick, "a tenth of the work, 3 rounds");
  line.no_rivals(o.rivals, "weft alone");
  line.results(o.out, &o.json, &o.svg);
  if (!line.parse(argc, argv, status)) return std::nullopt;
  if (o.rounds == 0) o.rounds = o.quick ? 3 : 5;
  return o;
}

struct field {
  std::vector<contestant> all;  // weft first
  nlohmann::json rivals;        // the version of each, where it says one, or why it is not there
};

field find_contestants(const options& o) {
  const auto here = executable_directory();
  field f{{{"weft", here / "micro", {}, {}, {}}}, nlohmann::json::object()};
  const auto add = [&](const std::string& name, const std::filesystem::path& program, const std::string& state) {
    if (!program.empty())
      f.all.push_back({name, program, {}, {}, {}});
    else
      fmt::print("{}: {}\n", name, state);
    f.rivals[name] = state;
  };
  const auto add_built = [&](const std::string& name, const auto& build) {
    std::string problem;
    const std::optional<rival_program> built = build("micro", o.out, problem);
    add(name, built ? built->executable : "", built ? built->version : problem.empty() ? "not installed" : problem);
  };
  const auto add_linked = [&](const std::string& name, const char* file) {
    const bool there = std::filesystem::exists(here / file);
    add(name, there ? here / file : "", there ? "installed" : "not installed");
  };
  if (!o.rivals) return f;
  add_built("Go", build_go_program);
  add_linked("Boost.Fiber", "rival_boost_fiber");
  add_built("tokio", build_tokio_program);
  add_linked("oneTBB", "rival_tbb");
  return f;
}

// The processors on which any metric of the row has a goal.
std::vector<unsigned> processors_of(const std::string& row) {
  std::vector<unsigned> all;
  for (unsigned p : {1U, 2U})
    if (std::ranges::any_of(metrics(), [&](const metric& m) { return row == m.row && m.goal(p) > 0; }))
      all.push_back(p);
  return all;
}

// A rival answers with an empty list where it has no such thing.
void ask(contestant& of, const std::string& row, unsigned processors, const options& o) {
  const std::string label = fmt::format("{} (P{})", row, processors);
  if (of.failures.contains(label) || of.slow.contains(label)) return;
  command c{.words = {of.program.string(), "--rows", row, "--processors", std::to_string(processors), "--repeat", "1",
                      "--json", "-"},
            .environment = {fmt::format("GOMAXPROCS={}", processors)},
            .directory = {}};
  if (o.quick) c.words.emplace_back("--quick");
  const stopwatch time;
  const outcome answer = run_program(c);
  if (time.milliseconds() > 10'000) of.slow.insert(label);
  const auto list = nlohmann::json::parse(answer.ok ? answer.output : "", nullptr, false);
  if (!answer.ok || !list.is_array()) {
    of.failures[label] = answer.ok ? "no JSON in its output" : answer.problem;
    return;
  }
  for (const auto& entry : list)
    of.values[{entry.at("name").get<std::string>(), processors}].push_back(entry.at("value").get<double>());
}

void measure(const options& o, std::vector<contestant>& all) {
  const std::vector<std::string> names = o.rows.empty() ? row_names() : o.rows;
  progress line(static_cast<int>(names.size()) * o.rounds);
  for (const std::string& row : names)
    for (int round = 0; round < o.rounds; ++round) {
      line.step(row);
      for (unsigned processors : processors_of(row))
        for (std::size_t i = 0; i < all.size(); ++i)
          ask(all[(i + static_cast<std::size_t>(round)) % all.size()], row, processors, o);
    }
}

comparison medians_of(const std::vector<contestant>& all) {
  comparison rows;
  for (const metric& m : metrics())
    for (unsigned processors : {1U, 2U}) {
      comparison_row row(m, processors);
      for (const contestant& c : all)
        if (const auto found = c.values.find({m.name, processors}); found != c.values.end())
          row.values[c.name] = median(found->second);
      if (!row.values.empty()) rows.push_back(std::move(row));
    }
  return rows;
}

void report(const options& o, const field& f) {
  const comparison rows = medians_of(f.all);
  print_table(rows, stdout);
  for (const contestant& c : f.all)
    for (const auto& [label, problem] : c.failures) fmt::print("{}, {}: {}\n", c.name, label, problem);
  const nlohmann::json figures{{"benchmark", "compare"}, {"quick", o.quick},           {"rounds", o.rounds},
                               {"rivals", f.rivals},     {"machine", machine_facts()}, {"figures", to_json(rows)}};
  write_file(o.json, figures.dump(2) + '\n');
  write_file(o.svg, render_svg(rows, "weft and its rivals"));
  fmt::print("\nfigures: {}\npicture: {}\n", o.json, o.svg);
}

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  const auto o = parse(argc, argv, status);
  if (!o) return status;
  try {
    begin_results(o->out, {o->json, o->svg});
    field f = find_contestants(*o);
    measure(*o, f.all);
    report(*o, f);
    return f.all.front().failures.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "compare: {}\n", error.what());
    return 1;
  }
}
