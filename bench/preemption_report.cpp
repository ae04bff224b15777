// Three lines a figure: weft, Go, and weft's over Go's (below 1: weft is faster). A cost has its median alone.
#include "bench/preemption_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "bench/support/places.hpp"
#include "bench/support/results.hpp"
#include "bench/support/table.hpp"

namespace bench {
namespace {

struct percent {
  const char* name;
  double at;
};
constexpr std::array k_percents{percent{"p50", 50}, percent{"p99", 99}, percent{"p99.9", 99.9}, percent{"max", 100}};

// Nearest rank, as support/statistics.hpp.
double percentile(const std::vector<double>& sorted, double at) {
  const double rank = std::ceil(at / 100 * static_cast<double>(sorted.size()));
  return sorted[std::min(static_cast<std::size_t>(std::max(rank, 1.0)) - 1, sorted.size() - 1)];
}

bool is_share(const preemption_figure& f) { return std::string_view(f.name) == "shares"; }

// A mean over many calls: its own percentiles say nothing about a call's.
bool is_mean(const preemption_figure& f) {
  return std::string_view(f.workload) == "blocking" || std::string_view(f.workload) == "locked";
}

std::vector<double> sorted_samples(const preemption_samples& of, const preemption_figure& figure) {
  const auto found = of.find(figure.name);
  if (found == of.end()) return {};
  std::vector<double> all = found->second;
  std::ranges::sort(all);
  return all;
}

std::string section_of(const preemption_workload& load) {
  const std::string processors =
      fmt::format("{} {}", load.processors, load.processors == 1 ? "processor" : "processors");
  if (load.hogs == 0) return processors;
  return fmt::format("{}, {} {} without a call", processors, load.hogs, load.hogs == 1 ? "loop" : "loops");
}

template <class Format>
void add_row(table& to, const preemption_figure& figure, std::string first, std::string second, const Format& format) {
  std::vector<std::string> cells{std::move(first), std::move(second)};
  for (const percent& p : k_percents) cells.push_back(is_mean(figure) && p.at != 50 ? std::string() : format(p.at));
  cells.resize(2 + k_percents.size());
  to.row(std::move(cells));
}

void add_rows(table& to, const preemption_figure& figure, const preemption_result& result) {
  const auto weft = sorted_samples(result.weft, figure);
  const auto go = sorted_samples(result.go, figure);
  if (weft.empty()) return;
  const auto time = [](const auto& all) { return [&all](double at) { return format_duration(percentile(all, at)); }; };
  add_row(to, figure, fmt::format("{} [{}]", figure.title, weft.size()), "weft", time(weft));
  if (go.empty()) return;
  add_row(to, figure, "", fmt::format("Go [{}]", go.size()), time(go));
  add_row(to, figure, "", "weft/Go",
          [&](double at) { return format_ratio(percentile(weft, at) / std::max(percentile(go, at), 1.0)); });
}

void print_shares(const preemption_figure& figure, const preemption_result& result) {
  const auto line = [&](const char* whose, const preemption_samples& of) {
    const auto all = sorted_samples(of, figure);
    if (all.empty()) return;
    fmt::print("{} ({}), {}: least {:.2f}, median {:.2f}, most {:.2f} of the fair share\n", figure.title,
               section_of(result.load), whose, all.front(), percentile(all, 50), all.back());
  };
  line("weft", result.weft);
  line("Go", result.go);
}

nlohmann::json json_of(const preemption_samples& of, const preemption_figure& figure) {
  const auto all = sorted_samples(of, figure);
  if (all.empty()) return nullptr;
  nlohmann::json out{{"samples", all.size()}, {"min", all.front()}};
  for (const percent& p : k_percents) out[p.name] = percentile(all, p.at);
  return out;
}

}  // namespace

const std::vector<preemption_figure>& preemption_figures() {
  static const std::vector<preemption_figure> all{
      {"sleep", "sleep", "lateness of a 1 ms sleep", ""},
      {"deadline", "deadline", "lateness of a context's deadline", ""},
      {"read", "read", "lateness of a read's deadline", ""},
      {"cancel", "cancel", "cancel from a foreign thread", "counted from the due end of a system call"},
      {"interruptible", "interruptible", "cancel of a loop in interruptible", "cannot"},
      {"answer", "share", "question from a foreign thread", "counted from the due end of a system call"},
      {"shares", "share", "each loop's share of the CPU", ""},
      {"pinned", "pinned", "a preemption, pinned", "the only kind there is"},
      {"migratable", "migratable", "a preemption, migratable", "the only kind there is"},
      {"detach", "detach", "undeclared read until the next fiber runs", "declared; else it would wait for ever"},
      {"locked", "locked", "hand-off from or to a locked thread", ""},
      {"blocking", "blocking", "blocking(f) in and out", "Syscall less RawSyscall"},
      {"getppid", "blocking", "blocking(getppid)", "Syscall"},
      {"getppid_raw", "blocking", "getppid()", "RawSyscall"},
  };
  return all;
}

void print_table(const preemption_report& report) {
  fmt::print("Fibers beside loops without a call, and what giving way costs; [n]: samples. Go: {}.\n", report.go);
  table t({"what", "", "p50", "p99", "p99.9", "max"});
  std::string section;
  for (const preemption_result& result : report.results)
    for (const preemption_figure& figure : preemption_figures()) {
      if (figure.workload != result.load.name || is_share(figure)) continue;
      if (section != section_of(result.load)) t.section(section = section_of(result.load));
      add_rows(t, figure, result);
    }
  t.print(stdout);
  fmt::print("\n");
  bool with_go = false;
  for (const preemption_result& result : report.results) {
    with_go |= !result.go.empty();
    for (const preemption_figure& figure : preemption_figures())
      if (figure.workload == result.load.name && is_share(figure)) print_shares(figure, result);
  }
  if (!with_go) return;
  fmt::print("Go, where it is not the same:");
  for (const preemption_figure& figure : preemption_figures())
    if (*figure.go != '\0') fmt::print("\n  {}: {}", figure.title, figure.go);
  fmt::print("\n");
}

std::string to_json(const preemption_report& report) {
  nlohmann::json figures = nlohmann::json::array();
  for (const preemption_result& result : report.results)
    for (const preemption_figure& figure : preemption_figures()) {
      if (figure.workload != result.load.name) continue;
      nlohmann::json entry{{"name", figure.name},
                           {"processors", result.load.processors},
                           {"hogs", result.load.hogs},
                           {"unit", is_share(figure) ? "fair share" : "ns"},
                           {"weft", json_of(result.weft, figure)},
                           {"go", json_of(result.go, figure)},
                           {"weft_over_go", nullptr}};
      if (!entry["weft"].is_null() && !entry["go"].is_null() && !is_share(figure))
        for (const percent& p : k_percents)
          entry["weft_over_go"][p.name] =
              entry["weft"][p.name].get<double>() / std::max(entry["go"][p.name].get<double>(), 1.0);
      figures.push_back(std::move(entry));
    }
  return nlohmann::json{{"benchmark", "preemption"},
                        {"quick", report.quick},
                        {"go", report.go},
                        {"machine", machine_facts()},
                        {"figures", figures}}
      .dump(2);
}

}  // namespace bench
