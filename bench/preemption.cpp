// How late fibers are while others loop without a call, and what it costs those to give way; beside the same in Go.
//
// weft and Go take turns, question by question, in blocks; who begins changes from block to block. Each block is a run
// of its own runtime.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "bench/preemption_report.hpp"
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

std::vector<std::string> row_names() {
  std::vector<std::string> names;
  for (const preemption_figure& f : preemption_figures())
    if (std::ranges::find(names, f.workload) == names.end()) names.emplace_back(f.workload);
  return names;
}

std::optional<options> parse(int argc, char** argv, int& status) {
  command_line line("preemption", "How late fibers are beside loops without a call, and what giving way costs.");
  options o;
  line.flag("--quick", o.quick, "fewer samples: about a quarter of a minute");
  line.rows(o.rows, row_names());
  line.processors(o.processors);
  line.blocks(o.blocks, "weft and Go take turns so many times (default: 3)");
  line.no_rivals(o.rivals, "leave Go out, even where it is installed");
  line.results(o.out, &o.json);
  if (!line.parse(argc, argv, status)) return std::nullopt;
  if (o.blocks == 0) o.blocks = o.quick ? 1 : 3;
  return o;
}

std::vector<preemption_workload> workloads(const options& o) {
  std::vector<preemption_workload> all;
  for (unsigned processors : {1U, 2U})
    for (int each : {1, 4})
      for (const char* name : {"sleep", "deadline", "read", "cancel"})
        all.push_back({name, processors, static_cast<int>(processors) * each});
  all.push_back({"share", 2, 200});
  for (unsigned processors : {1U, 2U}) all.push_back({"interruptible", processors, 0});
  for (const char* name : {"pinned", "migratable", "detach", "locked", "blocking"}) all.push_back({name, 1, 0});
  std::erase_if(all, [&](const preemption_workload& load) {
    return !wanted(o.rows, load.name) || !wanted(o.processors, load.processors);
  });
  return all;
}

preemption_budget budget_for(const options& o, const preemption_workload& load) {
  if (load.name == "share") return {0, o.quick ? 1200ms : 5000ms};
  return o.quick ? preemption_budget{200, 250ms} : preemption_budget{1000, 3000ms};
}

void append(preemption_samples& to, const preemption_samples& more) {
  for (const auto& [name, samples] : more) to[name].insert(to[name].end(), samples.begin(), samples.end());
}

preemption_samples ask_go(const rival_program& go, const preemption_workload& load, const preemption_budget& budget) {
  const outcome ran = run_program(
      {.words = {go.executable.string(), "-workload", load.name, "-hogs", std::to_string(load.hogs), "-samples",
                 std::to_string(budget.samples), "-time", fmt::format("{}ms", budget.time.count())},
       .environment = {fmt::format("GOMAXPROCS={}", load.processors)},
       .directory = {}});
  if (!ran.ok) throw std::runtime_error(fmt::format("the Go program, {}: {}", load.name, ran.problem));
  return nlohmann::json::parse(ran.output).get<preemption_samples>();
}

preemption_report measure(const options& o) {
  preemption_report report;
  report.quick = o.quick;
  report.go = o.rivals ? "not installed" : "left out";
  const auto loads = workloads(o);
  progress line(static_cast<int>(loads.size()) + 1);
  line.step("building the Go program");
  std::optional<rival_program> go;
  if (std::string problem; o.rivals) {
    go = build_go_program("preemption", o.out, problem);
    if (!problem.empty()) throw std::runtime_error(problem);
    if (go) report.go = go->version;
  }
  for (const preemption_workload& load : loads) {
    line.step(fmt::format("{}, {} loops on {}", load.name, load.hogs, load.processors));
    preemption_result& result = report.results.emplace_back(preemption_result{load, {}, {}});
    const preemption_budget budget = budget_for(o, load);
    const int blocks = load.name == "share" ? 1 : o.blocks;  // its samples of different runs do not add up
    for (int block = 0; block < blocks; ++block) {
      const bool go_first = block % 2 == 1;
      if (!go_first) append(result.weft, run_preemption(load, budget));
      if (go && load.name != "interruptible") append(result.go, ask_go(*go, load, budget));
      if (go_first) append(result.weft, run_preemption(load, budget));
    }
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
    const preemption_report report = measure(*o);
    print_table(report);
    write_file(o->json, to_json(report) + "\n");
    fmt::print("\nfigures: {}\n", o->json);
  } catch (const std::exception& error) {
    fmt::print(stderr, "preemption: {}\n", error.what());
    return 1;
  }
  return 0;
}
