// A line for each of those asked, and at the end weft's over Go's (below 1: weft is faster, or uses less). Means of
// whole runs have their median alone.
#include "bench/load_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "bench/support/results.hpp"
#include "bench/support/statistics.hpp"
#include "bench/support/table.hpp"

namespace bench {
namespace {

struct percent {
  const char* name;
  double at;
};
constexpr std::array k_percents{percent{"p50", 50}, percent{"p99", 99}, percent{"p99.9", 99.9}, percent{"max", 100}};

struct side {
  const char* name;  // in the table
  const char* key;   // in JSON
  load_samples load_result::* samples;
};
constexpr std::array k_sides{
    side{"weft", "weft", &load_result::weft}, side{"weft, migratable", "weft_migratable", &load_result::migratable},
    side{"weft, unpreempted", "weft_unpreempted", &load_result::unpreempted}, side{"Go", "go", &load_result::go}};

// Nearest rank, as support/statistics.hpp; of means the median.
double percentile(const std::vector<double>& sorted, const load_figure& figure, double at) {
  if (figure.kind != load_figure::times) return median(sorted);
  const double rank = std::ceil(at / 100 * static_cast<double>(sorted.size()));
  return sorted[std::min(static_cast<std::size_t>(std::max(rank, 1.0)) - 1, sorted.size() - 1)];
}

std::vector<double> sorted_samples(const load_samples& of, const load_figure& figure) {
  const auto found = of.find(figure.name);
  if (found == of.end()) return {};
  std::vector<double> all = found->second;
  std::ranges::sort(all);
  return all;
}

std::string section_of(const load_workload& load) {
  const std::string processors =
      fmt::format("{} {}", load.processors, load.processors == 1 ? "processor" : "processors");
  if (load.name == "tail")
    return fmt::format("{}, {} % load, half of it 10 us long, half 10 ms", processors, load.amount);
  if (load.amount != 0) return fmt::format("{}, idle for {}", processors, format_duration(load.amount * 1e3));
  return fmt::format("{}, mixed", processors);
}

template <class Format>
void add_row(table& to, const load_figure& figure, std::string first, std::string second, const Format& format) {
  std::vector<std::string> cells{std::move(first), std::move(second)};
  for (const percent& p : k_percents)
    if (figure.kind == load_figure::times || p.at == 50) cells.push_back(format(p.at));
  to.row(std::move(cells));
}

void add_rows(table& to, const load_figure& figure, const load_result& result) {
  std::string title = figure.title;
  for (const side& s : k_sides) {
    const auto all = sorted_samples(result.*s.samples, figure);
    if (all.empty()) continue;
    const std::string count = figure.kind == load_figure::times ? fmt::format(" [{}]", all.size()) : "";
    add_row(to, figure, std::exchange(title, ""), s.name + count, [&](double at) {
      const double value = percentile(all, figure, at);
      return figure.kind == load_figure::percent ? format_number(value) + " %" : format_duration(value);
    });
  }
  const auto weft = sorted_samples(result.weft, figure);
  const auto go = sorted_samples(result.go, figure);
  if (weft.empty() || go.empty()) return;
  add_row(to, figure, "", "weft/Go", [&](double at) {
    return format_ratio(percentile(weft, figure, at) / std::max(percentile(go, figure, at), 1.0));
  });
}

nlohmann::json json_of(const load_samples& of, const load_figure& figure) {
  const auto all = sorted_samples(of, figure);
  if (all.empty()) return nullptr;
  nlohmann::json out{{"samples", all.size()}};
  for (const percent& p : k_percents)
    if (figure.kind == load_figure::times || p.at == 50) out[p.name] = percentile(all, figure, p.at);
  return out;
}

}  // namespace

const std::vector<load_figure>& load_figures() {
  static const std::vector<load_figure> all{
      {"short", "tail", "a short one, until it begins", load_figure::times},
      {"long", "tail", "a long one, until it has ended", load_figure::times},
      {"cpu", "tail", "CPU time used", load_figure::percent},
      {"thread", "thread", "woken by a foreign thread", load_figure::times},
      {"thread_cpu", "thread", "CPU time of that", load_figure::mean},
      {"pipe", "pipe", "woken by a pipe", load_figure::times},
      {"pipe_cpu", "pipe", "CPU time of that", load_figure::mean},
      {"timer", "timer", "woken by its timer", load_figure::times},
      {"timer_cpu", "timer", "CPU time of that", load_figure::mean},
      {"few", "few", "1,000 fibers, 10 busy, 10,000 requests/s: an answer", load_figure::times},
      {"few_cpu", "few", "CPU time of a request", load_figure::mean},
      {"busy", "busy", "the same, as many as can be: an answer", load_figure::times},
      {"busy_each", "busy", "time for each request", load_figure::mean},
      {"busy_cpu", "busy", "CPU time of a request", load_figure::mean},
      {"burst", "burst", "1,000 fibers of 1 us at once: until the last has run", load_figure::times},
      {"burst_cpu", "burst", "CPU time of a fiber", load_figure::mean},
  };
  return all;
}

void print_table(const load_report& report) {
  fmt::print("Fibers under load and idle ones; [n]: samples. Go: {}.\n", report.go);
  table t({"what", "", "p50", "p99", "p99.9", "max"});
  std::string section;
  for (const load_result& result : report.results)
    for (const load_figure& figure : load_figures()) {
      if (figure.workload != result.load.name) continue;
      if (section != section_of(result.load)) t.section(section = section_of(result.load));
      add_rows(t, figure, result);
    }
  t.print(stdout);
}

std::string to_json(const load_report& report) {
  nlohmann::json figures = nlohmann::json::array();
  for (const load_result& result : report.results)
    for (const load_figure& figure : load_figures()) {
      if (figure.workload != result.load.name) continue;
      nlohmann::json entry{{"name", figure.name},
                           {"processors", result.load.processors},
                           {"unit", figure.kind == load_figure::percent ? "%" : "ns"}};
      if (result.load.name == "tail") entry["load_percent"] = result.load.amount;
      if (result.load.name != "tail" && result.load.amount != 0) entry["idle_us"] = result.load.amount;
      for (const side& s : k_sides) entry[s.key] = json_of(result.*s.samples, figure);
      figures.push_back(std::move(entry));
    }
  return nlohmann::json{{"benchmark", "load"},
                        {"quick", report.quick},
                        {"go", report.go},
                        {"machine", machine_facts()},
                        {"figures", figures}}
      .dump(2);
}

}  // namespace bench
