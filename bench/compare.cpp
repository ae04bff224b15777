// weft beside its rivals: every question is put to each of them in turn, over and over, and the medians stand in one
// table.
//
// Each answer comes from a process of its own, so that no runtime inherits another's memory or threads. The order
// rotates from round to round. A rival that is not there, fails or does not end in time leaves its column empty, and
// says so; one that took over ten seconds for an answer is not asked again.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "bench/support/metrics.hpp"
#include "bench/support/places.hpp"
#include "bench/support/process.hpp"
#include "bench/support/progress.hpp"
#include "bench/support/results.hpp"
#include "bench/support/rivals.hpp"
#include "bench/support/statistics.hpp"
#include "bench/support/stopwatch.hpp"
#include "bench/support/table.hpp"

namespace {

using namespace bench;

struct options {
  std::vector<std::string> rows;
  int rounds = 5;
  bool quick = false;
  bool rivals = true;
  std::string out;
  std::string json;
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
  CLI::App app{"weft and its rivals, question by question, in one table.", "compare"};
  options o;
  app.add_option("--rows", o.rows, fmt::format("of {} (default: all)", fmt::join(row_names(), ", ")))
      ->delimiter(',')
      ->type_name("LIST")
      ->check(CLI::IsMember(row_names()).description(""));
  app.add_option("--rounds", o.rounds, "medians over so many rounds (default: 5)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000).description(""));
  app.add_flag("--quick", o.quick, "a tenth of the work");
  app.add_flag("!--no-rivals", o.rivals, "weft alone");
  app.add_option("--out", o.out, "folder for results (default: bench-results in the build folder)")->type_name("DIR");
  app.add_option("--json", o.json, "figures as JSON (default: DIR/compare.json)")->type_name("FILE");
  if (!read_command_line(app, argc, argv, status)) return std::nullopt;
  if (o.out.empty()) o.out = default_results_directory().string();
  if (o.json.empty()) o.json = o.out + "/compare.json";
  return o;
}

std::vector<contestant> find_contestants(const options& o) {
  const auto here = executable_directory();
  std::vector<contestant> all{{"weft", here / "micro", {}, {}, {}}};
  if (!o.rivals) return all;
  std::string problem;
  if (const auto go = build_go_program("micro", o.out, problem))
    all.push_back({"Go", go->executable, {}, {}, {}});
  else
    fmt::print("Go: {}\n", problem.empty() ? "not installed" : problem);
  if (std::filesystem::exists(here / "rival_boost_fiber"))
    all.push_back({"Boost.Fiber", here / "rival_boost_fiber", {}, {}, {}});
  else
    fmt::print("Boost.Fiber: not built\n");
  return all;
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

std::optional<double> value_of(const contestant& c, const metric& m, unsigned processors) {
  const auto found = c.values.find({m.name, processors});
  if (found == c.values.end()) return std::nullopt;
  return median(found->second);
}

// weft over the fastest rival.
std::optional<double> ratio_to_best(const std::vector<contestant>& all, const metric& m, unsigned processors) {
  std::optional<double> best;
  for (std::size_t i = 1; i < all.size(); ++i)
    if (const auto value = value_of(all[i], m, processors); value && *value > 0)
      best = best ? std::min(*best, *value) : *value;
  const auto ours = value_of(all.front(), m, processors);
  if (!best || !ours) return std::nullopt;
  return *ours / *best;
}

void report(const options& o, const std::vector<contestant>& all) {
  std::vector<std::string> heading{"what", "unit", "P"};
  for (const contestant& c : all) heading.push_back(c.name);
  heading.insert(heading.end(), {"to best rival", "goal"});
  table t(heading);
  nlohmann::json out = nlohmann::json::array();
  for (const metric& m : metrics())
    for (unsigned processors : {1U, 2U}) {
      std::vector<std::string> cells{m.title, m.unit, std::to_string(processors)};
      nlohmann::json entry{{"name", m.name}, {"unit", m.unit}, {"processors", processors}};
      bool any = false;
      for (const contestant& c : all) {
        const auto value = value_of(c, m, processors);
        cells.push_back(value ? format_number(*value) : "-");
        entry[c.name] = value ? nlohmann::json(*value) : nlohmann::json();
        any |= value.has_value();
      }
      if (!any) continue;
      const auto ratio = ratio_to_best(all, m, processors);
      cells.push_back(ratio ? format_ratio(*ratio) : "-");
      cells.push_back(m.goal(processors) > 0 ? format_number(m.goal(processors)) : "-");
      entry["goal"] = m.goal(processors) > 0 ? nlohmann::json(m.goal(processors)) : nlohmann::json();
      t.row(std::move(cells));
      out.push_back(std::move(entry));
    }
  t.print(stdout);
  for (const contestant& c : all)
    for (const auto& [label, problem] : c.failures) fmt::print("{}, {}: {}\n", c.name, label, problem);
  const nlohmann::json figures{{"benchmark", "compare"},        {"quick", o.quick},           {"rounds", o.rounds},
                               {"processor", processor_name()}, {"kernel", kernel_release()}, {"figures", out}};
  write_file(o.json, figures.dump(2) + '\n');
  fmt::print("\nfigures: {}\n", o.json);
}

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  const auto o = parse(argc, argv, status);
  if (!o) return status;
  try {
    std::filesystem::create_directories(o->out);
    write_file(o->json, "");  // an unwritable place is heard of now, not after minutes
    std::vector<contestant> all = find_contestants(*o);
    measure(*o, all);
    report(*o, all);
    return all.front().failures.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "compare: {}\n", error.what());
    return 1;
  }
}
