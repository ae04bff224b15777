// How cost grows: fibers, channels, contexts, timers from a hundred to a million, processors from one to eight; beside
// the same in Go.
//
// weft and Go take turns, point by point, in blocks; who begins changes from block to block. Each block of a point is a
// run of its own runtime, and its first round does not count.
#include "bench/growth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "bench/growth_report.hpp"
#include "bench/support/command_line.hpp"
#include "bench/support/places.hpp"
#include "bench/support/process.hpp"
#include "bench/support/progress.hpp"
#include "bench/support/results.hpp"
#include "bench/support/rivals.hpp"

namespace {

using namespace bench;

struct options {
  std::vector<std::string> rows;
  std::vector<unsigned> processors;
  int most = 0;    // 0: a million, or 10,000 when quick
  int blocks = 0;  // 0: 3, or 1 when quick
  bool quick = false;
  bool rivals = true;
  std::string out, json, svg;
};

std::vector<growth_question> all_questions() {
  std::vector<growth_question> all;
  for (auto* some : {fiber_growth, channel_growth, context_growth, timer_growth, processor_growth, machine_growth})
    std::ranges::move(some(), std::back_inserter(all));
  return all;
}

std::vector<std::string> row_names() {
  std::vector<std::string> names;
  for (const growth_question& q : all_questions()) names.push_back(q.name);
  return names;
}

std::optional<options> parse(int argc, char** argv, int& status) {
  command_line line("growth",
                    "What one element costs among n of them: fibers, channels, contexts, timers, processors.");
  options o;
  line.flag("--quick", o.quick, "up to 10,000 only, few rounds: under half a minute");
  line.rows(o.rows, row_names());
  line.processors(o.processors);
  line.number("--most", o.most, 1, 1'000'000, "the largest n (default: 1000000, which takes 6 GB of memory)");
  line.blocks(o.blocks, "weft and Go take turns so many times (default: 3; once from 1000000 on)");
  line.no_rivals(o.rivals, "leave Go out, even where it is installed");
  line.results(o.out, &o.json, &o.svg);
  if (!line.parse(argc, argv, status)) return std::nullopt;
  if (o.most == 0) o.most = o.quick ? 10'000 : 1'000'000;
  return o;
}

int blocks_of(const options& o, int n) {
  if (o.blocks != 0) return o.blocks;
  return o.quick || n >= 1'000'000 ? 1 : 3;
}

int rounds_of(const options& o, int n) {
  return o.quick ? std::clamp(50'000 / n, 1, 20) : std::clamp(300'000 / n, 1, 50);
}

using costs = std::map<std::string, std::vector<double>>;  // by the figures' names

costs ask_weft(const growth_question& q, const growth_point& at) {
  costs all;
  for (const growth_round& round : q.measure(at))
    for (const auto& [name, each] : round) all[name].push_back(each);
  return all;
}

costs ask_go(const rival_program& go, const growth_question& q, const growth_point& at) {
  const outcome ran = run_program({.words = {go.executable.string(), "-question", q.name, "-n", std::to_string(at.n),
                                             "-rounds", std::to_string(at.rounds)},
                                   .environment = {fmt::format("GOMAXPROCS={}", at.processors)},
                                   .directory = {}});
  if (!ran.ok) throw std::runtime_error(fmt::format("the Go program, {} with {}: {}", q.name, at.n, ran.problem));
  return nlohmann::json::parse(ran.output).get<costs>();
}

// One series for each of the question's figures, on so many processors (0: n of them).
std::vector<growth_series> measure(const options& o, const growth_question& q, unsigned processors,
                                   const std::optional<rival_program>& go, progress& line) {
  std::vector<growth_series> all;
  for (const growth_figure& f : q.figures) all.push_back({f, q.name, q.across, processors, {}});
  for (const int n : q.sizes) {
    if (n > o.most) continue;
    line.step(fmt::format("{}, {} {} on {}", q.name, n, q.across, processors == 0 ? n : static_cast<int>(processors)));
    for (growth_series& s : all) s.costs.push_back({n, {}, {}});
    const auto take = [&](const costs& some, std::vector<double> growth_cost::* whose) {
      for (growth_series& s : all) std::ranges::copy(some.at(s.figure.name), std::back_inserter(s.costs.back().*whose));
    };
    const growth_point at{n, processors == 0 ? static_cast<unsigned>(n) : processors, rounds_of(o, n)};
    for (int block = 0; block < blocks_of(o, n); ++block) {
      const bool go_first = block % 2 == 1;
      if (!go_first) take(ask_weft(q, at), &growth_cost::weft);
      if (go && q.in_go) take(ask_go(*go, q, at), &growth_cost::go);
      if (go_first) take(ask_weft(q, at), &growth_cost::weft);
    }
  }
  return all;
}

// The series of one figure, on one processor and on two, stand side by side.
void add_beside_its_kind(std::vector<growth_series>& all, growth_series series) {
  const auto same = [&](const growth_series& other) { return other.figure.name == series.figure.name; };
  const auto last = std::find_if(all.rbegin(), all.rend(), same);
  all.insert(last == all.rend() ? all.end() : last.base(), std::move(series));
}

growth_report measure_all(const options& o) {
  growth_report report;
  report.quick = o.quick;
  report.go = o.rivals ? "not installed" : "left out";
  std::vector<std::pair<growth_question, unsigned>> asked;
  int steps = 1;
  for (const growth_question& q : all_questions())
    for (const unsigned p : q.processors.empty() ? std::vector<unsigned>{0} : q.processors)
      if (wanted(o.rows, q.name) && (p == 0 || wanted(o.processors, p))) {
        asked.emplace_back(q, p);
        steps += static_cast<int>(std::ranges::count_if(q.sizes, [&](int n) { return n <= o.most; }));
      }
  progress line(steps);
  line.step("building the Go program");
  std::optional<rival_program> go;
  if (std::string problem; o.rivals) {
    go = build_go_program("growth", o.out, problem);
    if (!problem.empty()) throw std::runtime_error(problem);
    if (go) report.go = go->version;
  }
  for (const auto& [question, processors] : asked)
    for (growth_series& s : measure(o, question, processors, go, line))
      add_beside_its_kind(report.series, std::move(s));
  return report;
}

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  const auto o = parse(argc, argv, status);
  if (!o) return status;
  try {
    begin_results(o->out, {o->json, o->svg});
    const growth_report report = measure_all(*o);
    print_table(report);
    write_file(o->json, to_json(report) + "\n");
    write_file(o->svg, to_svg(report));
    fmt::print("\nfigures: {}\npicture: {}\n", o->json, o->svg);
  } catch (const std::exception& error) {
    fmt::print(stderr, "growth: {}\n", error.what());
    return 1;
  }
  return 0;
}
