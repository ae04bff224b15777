#include "bench/summary_floors.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "bench/support/table.hpp"

namespace bench {
namespace {

struct step {
  const char* name;  // machine's
  const char* title;
};
constexpr step k_switch{"switch", "switch"};
constexpr step k_switch_thousand{"switch_thousand", "switch among 1,000"};
constexpr step k_switch_many{"switch_hundred_thousand", "switch among 100,000"};
constexpr step k_locked{"locked", "locked instruction"};
constexpr step k_allocation{"allocation", "allocation"};
constexpr step k_clock{"clock", "clock"};
constexpr step k_throw{"throw", "exception"};
constexpr step k_page{"page_first", "page's first touch"};
constexpr step k_signal{"signal", "signal"};
constexpr step k_write_read{"write_read", "write and read"};
constexpr step k_page_size{"page_size", "page"};

struct part {
  step what;
  int times;
};

struct recipe {
  const char* metric;
  int times;    // of the sum of its parts
  bool shared;  // between the processors
  std::array<part, 3> parts;
};

// A wait or a wake-up that others may see costs a locked instruction, and whoever waits is switched away from and to.
// What runs to its end without a wait needs one switch. A figure between two readings of the clock has one in it.
constexpr std::array k_recipes{
    recipe{"yield_2", 1, false, {{{k_switch, 1}}}},
    recipe{"yield_1000", 1, true, {{{k_switch_thousand, 1}}}},
    recipe{"spawn_join", 1, true, {{{k_switch, 1}, {k_allocation, 1}, {k_locked, 2}}}},
    recipe{"ping_pong", 1, false, {{{k_switch, 2}, {k_locked, 4}}}},
    recipe{"buffered_1_1", 1, false, {{{k_locked, 2}}}},
    recipe{"buffered_4_4", 1, false, {{{k_locked, 2}}}},
    // into four lists; the wake-up; the peer's
    recipe{"select_unbuffered", 1, false, {{{k_switch, 2}, {k_locked, 6}}}},
    recipe{"select_buffered", 1, false, {{{k_locked, 2}}}},
    recipe{"mutex", 1, false, {{{k_locked, 2}}}},
    recipe{"skynet", 1'111'111, true, {{{k_switch, 1}, {k_allocation, 1}, {k_locked, 2}}}},
    recipe{"fib", 121'392, true, {{{k_switch, 1}, {k_allocation, 1}, {k_locked, 2}}}},
    recipe{"parked_bytes", 1, false, {{{k_page_size, 1}}}},
    recipe{"parked_spawn", 1, true, {{{k_page, 1}}}},
    // into the parent's list and out of it; the cancel; the end
    recipe{"context_cancel", 1, false, {{{k_allocation, 1}, {k_locked, 4}}}},
    recipe{"context_timeout", 1, false, {{{k_allocation, 1}, {k_clock, 1}, {k_locked, 6}}}},
    recipe{"context_tree", 111'111, false, {{{k_locked, 1}}}},
    recipe{"timer_stop", 1, false, {{{k_allocation, 1}, {k_clock, 1}, {k_locked, 2}}}},
    recipe{"sleepers_cpu", 100'000, false, {{{k_page, 1}}}},
    recipe{"cancel_1_p50", 1, false, {{{k_clock, 1}, {k_switch, 2}, {k_locked, 4}}}},
    recipe{"cancel_1000", 1'000, true, {{{k_switch_thousand, 1}, {k_clock, 1}, {k_locked, 2}}}},
    recipe{"cancel_100000", 100'000, true, {{{k_switch_many, 1}, {k_clock, 1}, {k_locked, 2}}}},
    recipe{"cancel_bound", 100'000, true, {{{k_switch_many, 1}, {k_throw, 1}, {k_clock, 1}}}},
    recipe{"deadline_1_p50", 1, false, {{{k_signal, 1}}}},
    recipe{"deadline_1_p99", 1, false, {{{k_signal, 1}}}},
    recipe{"deadline_4_p50", 1, false, {{{k_signal, 1}}}},
    recipe{"deadline_4_p99", 1, false, {{{k_signal, 1}}}},
    recipe{"interruptible_p50", 1, false, {{{k_signal, 1}}}},
    recipe{"interruptible_p99", 1, false, {{{k_signal, 1}}}},
    // the server's own two calls for a request
    recipe{"echo_64", 1, false, {{{k_write_read, 1}}}},
    recipe{"echo_1000", 1, false, {{{k_write_read, 1}}}},
};

// Nanoseconds, or bytes.
std::optional<double> price_of(const step& s, const nlohmann::json& machine) {
  if (std::string_view(s.name) == k_page_size.name) return static_cast<double>(::sysconf(_SC_PAGESIZE));
  for (const auto& figure : machine.at("figures"))
    if (figure.at("name") == s.name) return figure.at("nanoseconds").get<double>();
  return std::nullopt;
}

// A sum of prices, in the row's unit.
double in_unit(double sum, std::string_view unit) {
  if (unit == "requests/s") return 1e9 / sum;
  return sum / (unit == "ms" ? 1e6 : unit == "us" ? 1e3 : 1);
}

std::optional<row_floor> floor_of(const comparison_row& row, const recipe& r, const nlohmann::json& machine) {
  double sum = 0;
  std::vector<std::string> terms;
  for (const part& p : r.parts) {
    if (p.times == 0) continue;
    const auto one = price_of(p.what, machine);
    if (!one) return std::nullopt;
    sum += p.times * *one;
    terms.push_back(p.times == 1 ? p.what.title : fmt::format("{} x {}", p.times, p.what.title));
  }
  std::string made_of = fmt::format("{}", fmt::join(terms, " + "));
  if (r.times != 1) made_of = fmt::format("{} x ({})", format_count(r.times), made_of);
  if (r.shared && row.processors > 1) made_of += fmt::format(", on {} CPUs", row.processors);
  const double all = sum * r.times / (r.shared ? row.processors : 1);
  return row_floor{&row, in_unit(all, row.unit), std::move(made_of)};
}

}  // namespace

double row_floor::ratio() const { return row->ratio(row->values.at("weft"), value); }

std::vector<row_floor> floors_of(const comparison& rows, const nlohmann::json& machine) {
  std::vector<row_floor> all;
  if (machine.is_null()) return all;
  for (const comparison_row& row : rows) {
    const auto* const r = std::ranges::find_if(k_recipes, [&](const recipe& x) { return x.metric == row.name; });
    if (r == k_recipes.end() || !row.value("weft")) continue;
    if (auto f = floor_of(row, *r, machine)) all.push_back(std::move(*f));
  }
  return all;
}

void print_floors(const std::vector<row_floor>& all, std::FILE* to) {
  if (all.empty()) return;
  fmt::print(to, "\n");
  table t({"the least it takes on this machine", "made of", "P", "weft", "goal", "bound", "weft / bound"});
  for (const row_floor& f : all)
    t.row({fmt::format("{}, {}", f.row->title, f.row->unit), f.made_of, std::to_string(f.row->processors),
           format_number(f.row->values.at("weft")), format_number(f.row->goal), format_number(f.value),
           format_ratio(f.ratio())});
  t.print(to);
}

nlohmann::json to_json(const std::vector<row_floor>& all) {
  nlohmann::json out = nlohmann::json::array();
  for (const row_floor& f : all)
    out.push_back(
        {{"name", f.row->name}, {"processors", f.row->processors}, {"value", f.value}, {"made_of", f.made_of}});
  return out;
}

std::string to_markdown(const std::vector<row_floor>& all) {
  std::string out = "| what | weft | goal | bound | weft / bound | that is |\n| --- | --- | --- | --- | --- | --- |\n";
  for (const row_floor& f : all) {
    if (f.row->to_goal().value_or(0) <= 1) continue;
    out += fmt::format("| {}, P{}, {} | {} | {} | {} | {} | {} |\n", f.row->title, f.row->processors, f.row->unit,
                       format_number(f.row->values.at("weft")), format_number(f.row->goal), format_number(f.value),
                       format_ratio(f.ratio()), f.made_of);
  }
  return out;
}

}  // namespace bench
