// Every wrong option or value is named in the error; the exit status is then 2.
#include "bench/cancel_latency_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

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

long parse_count(const std::string& option, const std::string& text, long highest) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > highest)
    throw CLI::ValidationError(option, fmt::format("'{}' is not a number from 1 to {}", text, highest));
  return value;
}

wait_kind parse_wait(const std::string& text) {
  for (const wait_name& entry : k_waits)
    if (text == entry.name) return entry.wait;
  throw CLI::ValidationError("--waits", fmt::format("'{}' is none of done, recv, sleep, select, mutex", text));
}

void read_processors(const std::vector<std::string>& texts, cancel_options& options) {
  for (const std::string& text : texts)
    options.processors.push_back(text == "all" ? usable_processors()
                                               : static_cast<unsigned>(parse_count("--processors", text, 1024)));
  if (texts.empty()) {
    options.processors.push_back(1);
    if (usable_processors() > 1) options.processors.push_back(usable_processors());
  }
}

void read_waits(const std::vector<std::string>& texts, cancel_options& options) {
  for (const std::string& text : texts) options.waits.push_back(parse_wait(text));
  for (const wait_name& entry : k_waits)
    if (texts.empty() && (!options.bound || has_bound_form(entry.wait))) options.waits.push_back(entry.wait);
  for (wait_kind wait : options.waits)
    if (options.bound && !has_bound_form(wait))
      throw CLI::ValidationError("--bound", fmt::format("'{}' is a wait that always reports a result", name_of(wait)));
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
  CLI::App app{"How long a cancellation takes to reach every fiber that waits.", "cancel_latency"};
  cancel_options options;
  std::vector<std::string> fibers, processors, waits;
  std::string rounds, out, json, svg;
  bool no_rivals = false;
  app.add_flag("--quick", options.quick, "fewer rounds: under half a minute");
  app.add_option("--rounds", rounds, "rounds per workload (default: chosen by the number of fibers)")->type_name("N");
  app.add_option("--fibers", fibers, "how many fibers wait (default: 1,1000,100000)")
      ->delimiter(',')
      ->type_name("LIST");
  app.add_option("--processors", processors, "numbers, or 'all' (default: 1,all)")->delimiter(',')->type_name("LIST");
  app.add_option("--waits", waits, "of done, recv, sleep, select, mutex (default: all of them)")
      ->delimiter(',')
      ->type_name("LIST");
  app.add_flag("--bound", options.bound, "bound fibers only: canceled is thrown in each (recv, sleep, select)");
  app.add_flag("--no-rivals", no_rivals, "leave Go out, even where it is installed");
  app.add_option("--out", out, "folder for results (default: bench-results in the build folder)")->type_name("DIR");
  app.add_option("--json", json, "figures as JSON (default: DIR/cancel_latency.json)")->type_name("FILE");
  app.add_option("--svg", svg, "picture (default: DIR/cancel_latency.svg)")->type_name("FILE");
  try {
    app.parse(argc, argv);
    if (!rounds.empty()) options.rounds = static_cast<int>(parse_count("--rounds", rounds, 1'000'000));
    if (!fibers.empty()) options.fibers.clear();
    for (const std::string& text : fibers)
      options.fibers.push_back(static_cast<int>(parse_count("--fibers", text, 10'000'000)));
    read_processors(processors, options);
    read_waits(waits, options);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    status = 0;
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "cancel_latency: {}\nTry --help.\n", error.what());
    status = 2;
    return std::nullopt;
  }
  options.rivals = !no_rivals;
  options.out = out.empty() ? default_results_directory() : std::filesystem::path(out);
  options.json = json.empty() ? options.out / "cancel_latency.json" : std::filesystem::path(json);
  options.svg = svg.empty() ? options.out / "cancel_latency.svg" : std::filesystem::path(svg);
  return options;
}

}  // namespace bench
