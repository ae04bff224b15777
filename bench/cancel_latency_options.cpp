// Every wrong option or value is named in the error; the exit status is then 2.
#include "bench/cancel_latency_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "bench/support/command_line.hpp"
#include "bench/support/places.hpp"

namespace bench {
namespace {

struct wait_name {
  wait_kind wait;
  const char* name;
  const char* title;
};

constexpr std::array<wait_name, 5> k_waits{{{wait_kind::done, "done", "ctx.done()"},
                                            {wait_kind::recv, "recv", "channel receive"},
                                            {wait_kind::sleep, "sleep", "sleep"},
                                            {wait_kind::select, "select", "select, 2 channels"},
                                            {wait_kind::mutex, "mutex", "mutex.lock(ctx)"}}};
constexpr int k_bound_fibers = 100'000;  // the full run's row of bound fibers

const wait_name& entry_of(wait_kind wait) { return *std::ranges::find(k_waits, wait, &wait_name::wait); }

std::vector<std::string> wait_names() {
  std::vector<std::string> names;
  for (const wait_name& entry : k_waits) names.emplace_back(entry.name);
  return names;
}

}  // namespace

const char* name_of(wait_kind wait) { return entry_of(wait).name; }
const char* title_of(wait_kind wait) { return entry_of(wait).title; }

std::vector<cancel_workload> cancel_options::workloads() const {
  std::vector<cancel_workload> all;
  for (unsigned p : processors)
    for (int n : fibers)
      for (wait_kind wait : waits) {
        all.push_back({wait, n, p, bound});
        if (!bound && wait == wait_kind::recv && n == k_bound_fibers) all.push_back({wait, n, p, true});
      }
  return all;
}

std::optional<cancel_options> parse_cancel_options(int argc, char** argv, int& status) {
  command_line line("cancel_latency", "How long a cancellation takes to reach every fiber that waits.");
  cancel_options options;
  std::vector<std::string> waits;
  std::string out, json, svg;
  line.flag("--quick", options.quick, "fewer rounds: under half a minute");
  line.number("--rounds", options.rounds, 1, 1'000'000,
              "rounds per workload (default: chosen by the number of fibers)");
  line.numbers("--fibers", options.fibers, 1, 10'000'000, "how many fibers wait (default: 1,1000,100000)");
  line.processors(options.processors, "1,all");
  line.words("--waits", waits, wait_names(), "of done, recv, sleep, select, mutex (default: all of them)");
  line.flag("--bound", options.bound, "bound fibers only: canceled is thrown in each (recv, sleep, select)");
  line.no_rivals(options.rivals, "leave Go out, even where it is installed");
  line.results(out, &json, &svg);
  if (!line.parse(argc, argv, status)) return std::nullopt;
  for (const wait_name& entry : k_waits) {
    const bool reports = options.bound && !has_bound_form(entry.wait);
    if (reports && !waits.empty() && wanted(waits, entry.name)) {
      fmt::print(stderr, "cancel_latency: --bound: '{}' is a wait that always reports a result\nTry --help.\n",
                 entry.name);
      status = 2;
      return std::nullopt;
    }
    if (wanted(waits, entry.name) && !reports) options.waits.push_back(entry.wait);
  }
  if (options.processors.empty()) {
    options.processors.push_back(1);
    if (usable_processors() > 1) options.processors.push_back(usable_processors());
  }
  options.out = out;
  options.json = json;
  options.svg = svg;
  return options;
}

}  // namespace bench
