// How fibers fare under load and when idle: how late short ones are among long ones, what a wake-up takes after nothing
// has happened, what requests and bursts take; beside the same in Go.
//
// All take turns, question by question, in blocks; who begins changes from block to block. Each block is a run of its
// own runtime.
#include "bench/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "bench/load_events.hpp"
#include "bench/load_report.hpp"
#include "bench/support/command_line.hpp"
#include "bench/support/places.hpp"
#include "bench/support/process.hpp"
#include "bench/support/progress.hpp"
#include "bench/support/results.hpp"
#include "bench/support/rivals.hpp"

namespace {

using namespace bench;
using namespace std::chrono_literals;

struct options {
  std::vector<std::string> rows;
  std::vector<unsigned> processors;
  bool quick = false;
  bool rivals = true;
  int blocks = 0;  // 0: 3, or 1 when quick
  std::string out;
  std::string json;
};

std::vector<load_workload> all_workloads() {
  std::vector<load_workload> all;
  for (const unsigned p : {1U, 2U}) {
    for (const int percent : {50, 80, 95}) all.push_back({"tail", p, percent});
    for (const int pause : {10, 100, 1000, 10'000})
      for (const char* name : {"thread", "pipe", "timer"}) all.push_back({name, p, pause});
    for (const char* name : {"few", "busy", "burst"}) all.push_back({name, p, 0});
  }
  return all;
}

std::vector<std::string> row_names() {
  std::vector<std::string> names;
  for (const load_workload& load : all_workloads())
    if (std::ranges::find(names, load.name) == names.end()) names.push_back(load.name);
  return names;
}

std::optional<options> parse(int argc, char** argv, int& status) {
  command_line line("load",
                    "How late fibers are under load, what a wake-up takes after an idle time, what bursts cost.");
  options o;
  line.flag("--quick", o.quick, "shorter runs: under half a minute");
  line.rows(o.rows, row_names());
  line.processors(o.processors, "both 1 and 2");
  line.blocks(o.blocks, "weft and Go take turns so many times (default: 3)");
  line.no_rivals(o.rivals, "leave Go out, even where it is installed");
  line.results(o.out, &o.json);
  if (!line.parse(argc, argv, status)) return std::nullopt;
  if (o.blocks == 0) o.blocks = o.quick ? 1 : 3;
  return o;
}

std::vector<load_workload> workloads(const options& o) {
  std::vector<load_workload> some = all_workloads();
  std::erase_if(some, [&](const load_workload& load) {
    return !wanted(o.rows, load.name) || !wanted(o.processors, load.processors);
  });
  return some;
}

std::chrono::milliseconds time_for(const options& o, const load_workload& load) {
  if (load.name == "tail") return o.quick ? 400ms : 2000ms;
  return o.quick ? 150ms : 1000ms;
}

void append(load_samples& to, const load_samples& more) {
  for (const auto& [name, samples] : more) to[name].insert(to[name].end(), samples.begin(), samples.end());
}

// A pipe's events come from this process, whoever waits for them.
load_samples ask_go(const rival_program& go, const load_workload& load, std::chrono::milliseconds time) {
  std::optional<event_pipes> pipes;
  std::optional<event_source> source;
  std::vector<std::string> words{
      go.executable.string(),           "-workload", load.name, "-amount", std::to_string(load.amount), "-time",
      fmt::format("{}ms", time.count())};
  if (load.name == "pipe") {
    pipes.emplace();
    source.emplace(
        std::chrono::microseconds(load.amount), [&](std::int64_t stamp) { pipes->send(stamp); },
        [&] { return pipes->answered(); });
    for (const auto& [option, end] : {std::pair("-events", pipes->events()), std::pair("-answers", pipes->answers())})
      words.insert(words.end(), {option, std::to_string(end)});
  }
  const outcome ran =
      run_program({.words = words, .environment = {fmt::format("GOMAXPROCS={}", load.processors)}, .directory = {}});
  if (!ran.ok) throw std::runtime_error(fmt::format("the Go program, {}: {}", load.name, ran.problem));
  return nlohmann::json::parse(ran.output).get<load_samples>();
}

load_result measure(const options& o, const load_workload& load, const std::optional<rival_program>& go) {
  load_result result{load, {}, {}, {}, {}};
  const std::chrono::milliseconds time = time_for(o, load);
  std::vector<std::function<void()>> sides{[&] { append(result.weft, run_load(load, time, load_kind::weft)); }};
  if (load.name == "tail") {
    sides.emplace_back([&] { append(result.migratable, run_load(load, time, load_kind::migratable)); });
    sides.emplace_back([&] { append(result.unpreempted, run_load(load, time, load_kind::unpreempted)); });
  }
  if (go && load.name != "thread") sides.emplace_back([&] { append(result.go, ask_go(*go, load, time)); });
  for (int block = 0; block < o.blocks; ++block) {
    for (const auto& side : sides) side();
    std::ranges::reverse(sides);
  }
  return result;
}

load_report measure(const options& o) {
  load_report report;
  report.quick = o.quick;
  report.go = o.rivals ? "not installed" : "left out";
  const auto loads = workloads(o);
  progress line(static_cast<int>(loads.size()) + 1);
  line.step("building the Go program");
  std::optional<rival_program> go;
  if (std::string problem; o.rivals) {
    go = build_go_program("load", o.out, problem);
    if (!problem.empty()) throw std::runtime_error(problem);
    if (go) report.go = go->version;
  }
  for (const load_workload& load : loads) {
    line.step(fmt::format("{} {} on {}", load.name, load.amount, load.processors));
    report.results.push_back(measure(o, load, go));
  }
  return report;
}

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  const auto o = parse(argc, argv, status);
  if (!o) return status;
  try {
    begin_results(o->out, {o->json});
    const load_report report = measure(*o);
    print_table(report);
    write_file(o->json, to_json(report) + "\n");
    fmt::print("\nfigures: {}\n", o->json);
  } catch (const std::exception& error) {
    fmt::print(stderr, "load: {}\n", error.what());
    return 1;
  }
  return 0;
}
