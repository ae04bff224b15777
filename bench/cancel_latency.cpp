// The main job's benchmark: how long a cancellation takes to reach 1, 1,000 and 100,000 waiting fibers.
//
// weft and Go take turns, workload by workload, in blocks of rounds; who begins changes from block to block. Each block
// is a run of its own runtime, and its first rounds warm up stacks and caches uncounted.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>

#include "bench/cancel_latency_options.hpp"
#include "bench/cancel_latency_report.hpp"
#include "bench/support/process.hpp"
#include "bench/support/progress.hpp"
#include "bench/support/results.hpp"
#include "bench/support/rivals.hpp"

namespace {

using namespace bench;

struct plan {
  int blocks;
  int rounds;   // in a block
  int warm_up;  // before them
};

plan plan_for(const cancel_options& options, int fibers) {
  int blocks = options.quick ? 1 : 3;
  int rounds = options.quick ? std::clamp(20'000 / fibers, 1, 500) : std::clamp(100'000 / fibers, 3, 1000);
  if (options.rounds != 0) {
    blocks = std::min(blocks, options.rounds);
    rounds = (options.rounds + blocks - 1) / blocks;
  }
  return {blocks, rounds, std::max(1, rounds / 10)};
}

// The Go program writes, for every round, two 64-bit numbers (cancel() in nanoseconds, whether all were at rest), then
// one for each fiber.
void run_go_rounds(const rival_program& go, const cancel_workload& load, const plan& p, cancel_series& into) {
  const outcome ran = run_program(
      {.words = {go.executable.string(), "-wait", name_of(load.wait), "-fibers", std::to_string(load.fibers), "-warmup",
                 std::to_string(p.warm_up), "-rounds", std::to_string(p.rounds)},
       .environment = {fmt::format("GOMAXPROCS={}", load.processors)},
       .directory = {}});
  std::vector<std::int64_t> round(static_cast<std::size_t>(load.fibers) + 2);
  const std::size_t size = round.size() * sizeof(std::int64_t);
  if (!ran.ok) throw std::runtime_error("the Go program: " + ran.problem);
  if (ran.output.size() != size * static_cast<std::size_t>(p.rounds))
    throw std::runtime_error("the Go program's output has the wrong size");
  for (std::size_t at = 0; at < ran.output.size(); at += size) {
    std::memcpy(round.data(), ran.output.data() + at, size);
    into.add({round[0], round[1] != 0, std::span(round).subspan(2)});
  }
  into.end_block();
}

void run_weft_rounds(const plan& p, cancel_result& result) {
  run_cancel_rounds(result.load, p.warm_up, p.rounds, [&](const cancel_round& round) { result.weft.add(round); });
  result.weft.end_block();
}

cancel_report measure(const cancel_options& options) {
  cancel_report report;
  report.quick = options.quick;
  report.go = options.rivals ? "not installed" : "left out";
  std::optional<rival_program> go;
  std::vector<cancel_workload> loads = options.workloads();
  progress line(static_cast<int>(loads.size()) + 1);
  line.step("building the Go program");
  if (std::string problem; options.rivals) {
    go = build_go_program("cancel_latency", options.out, problem);
    if (!problem.empty()) throw std::runtime_error(problem);
    if (go) report.go = go->version;
  }
  for (const cancel_workload& load : loads) {
    line.step(fmt::format("{}{}, {} fibers on {}", name_of(load.wait), load.bound ? " (bound)" : "", load.fibers,
                          load.processors));
    cancel_result& result = report.results.emplace_back(cancel_result{load, {}, {}});
    const plan p = plan_for(options, load.fibers);
    for (int block = 0; block < p.blocks; ++block) {
      const bool go_first = block % 2 == 1;
      if (!go_first) run_weft_rounds(p, result);
      if (go && !load.bound) run_go_rounds(*go, load, p, result.go);
      if (go_first) run_weft_rounds(p, result);
    }
  }
  return report;
}

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  const auto options = parse_cancel_options(argc, argv, status);
  if (!options) return status;
  try {
    begin_results(options->out, {options->json, options->svg});
    const cancel_report report = measure(*options);
    print_table(report);
    write_file(options->json, to_json(report) + "\n");
    write_file(options->svg, to_svg(report));
    fmt::print("\nfigures: {}\npicture: {}\n", options->json.string(), options->svg.string());
  } catch (const std::exception& error) {
    fmt::print(stderr, "cancel_latency: {}\n", error.what());
    return 1;
  }
  return 0;
}
