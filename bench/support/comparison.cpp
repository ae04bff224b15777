#include "bench/support/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "bench/support/table.hpp"

namespace bench {
namespace {

// Those of them who gave anything.
std::vector<std::string> columns_of(const comparison& all) {
  std::vector<std::string> columns = contestants();
  std::erase_if(columns, [&](const std::string& who) {
    return std::ranges::none_of(all, [&](const comparison_row& row) { return row.values.contains(who); });
  });
  return columns;
}

std::string number_or(const std::optional<double>& value, const char* nothing) {
  return value ? format_number(*value) : nothing;
}

std::optional<double> set(double goal) { return goal > 0 ? std::optional(goal) : std::nullopt; }

std::string ratio_or(const comparison_row& row, const char* nothing) {
  const auto ratio = row.to_best_rival();
  return ratio ? fmt::format("{} {}", format_ratio(*ratio), *row.best_rival()) : nothing;
}

std::string behind(const comparison_row& row) {
  const bool rival = row.to_best_rival().value_or(0) > 1;
  const bool goal = row.to_goal().value_or(0) > 1;
  return rival && goal ? "rival, goal" : rival ? "rival" : goal ? "goal" : "";
}

void print_count(const comparison& all, std::FILE* to) {
  const auto count = [&](const auto& holds) { return std::ranges::count_if(all, holds); };
  const auto asked = count([](const auto& row) { return row.to_best_rival().has_value(); });
  const auto first = count([](const auto& row) { return row.to_best_rival().value_or(2) <= 1; });
  const auto with_goal = count([](const auto& row) { return row.goal > 0; });
  const auto reached = count([](const auto& row) { return row.to_goal().value_or(2) <= 1; });
  fmt::print(to, "\nweft is first in {} of {} rows that a rival has an answer to, and reaches {} of {} goals.\n", first,
             asked, reached, with_goal);
}

// The cells of rows that differ only in their number of processors, joined; one dash where nobody gave any.
template <class Cell>
std::string joined(std::span<const comparison_row> rows, const Cell& cell) {
  std::vector<std::string> cells;
  for (const comparison_row& row : rows) cells.push_back(cell(row));
  if (std::ranges::all_of(cells, [](const std::string& c) { return c == "–"; })) return "–";
  return fmt::format("{}", fmt::join(cells, " / "));
}

}  // namespace

comparison_row::comparison_row(const metric& about, unsigned on)
    : name(about.name),
      title(about.title),
      unit(about.unit),
      processors(on),
      goal(about.goal(on)),
      more_is_better(about.more_is_better) {}

std::optional<double> comparison_row::value(const std::string& contestant) const {
  const auto found = values.find(contestant);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> comparison_row::best_rival() const {
  std::optional<std::string> best;
  for (const auto& [who, value] : values)
    if (who != "weft" && value > 0 && (!best || ratio(value, values.at(*best)) < 1)) best = who;
  return best;
}

std::optional<double> comparison_row::to_best_rival() const {
  const auto best = best_rival();
  const auto ours = value("weft");
  return best && ours ? std::optional(ratio(*ours, values.at(*best))) : std::nullopt;
}

std::optional<double> comparison_row::to_goal() const {
  const auto ours = value("weft");
  return goal > 0 && ours ? std::optional(ratio(*ours, goal)) : std::nullopt;
}

const std::vector<std::string>& contestants() {
  static const std::vector<std::string> all{"weft", "Go", "Boost.Fiber", "tokio", "oneTBB", "Asio", "epoll"};
  return all;
}

void print_table(const comparison& all, std::FILE* to) {
  const auto columns = columns_of(all);
  std::vector<std::string> heading{"what", "unit", "P"};
  heading.insert(heading.end(), columns.begin(), columns.end());
  heading.insert(heading.end(), {"weft / best rival", "goal", "weft / goal", "behind"});
  table t(heading);
  for (const comparison_row& row : all) {
    std::vector<std::string> cells{row.title, row.unit, std::to_string(row.processors)};
    for (const std::string& who : columns) cells.push_back(number_or(row.value(who), "-"));
    const auto to_goal = row.to_goal();
    cells.insert(cells.end(), {ratio_or(row, "-"), number_or(set(row.goal), "-"),
                               to_goal ? format_ratio(*to_goal) : "-", behind(row)});
    t.row(std::move(cells));
  }
  t.print(to);
  print_count(all, to);
}

nlohmann::json to_json(const comparison& all) {
  const auto or_null = [](const auto& value) { return value ? nlohmann::json(*value) : nlohmann::json(); };
  nlohmann::json out = nlohmann::json::array();
  for (const comparison_row& row : all)
    out.push_back({{"name", row.name},
                   {"title", row.title},
                   {"unit", row.unit},
                   {"processors", row.processors},
                   {"more_is_better", row.more_is_better},
                   {"values", row.values},
                   {"best_rival", or_null(row.best_rival())},
                   {"to_best_rival", or_null(row.to_best_rival())},
                   {"goal", or_null(set(row.goal))},
                   {"to_goal", or_null(row.to_goal())}});
  return out;
}

std::string to_markdown(const comparison& all) {
  const auto columns = columns_of(all);
  std::string out = fmt::format("| what | {} | weft / best rival | goal | weft / goal |\n|", fmt::join(columns, " | "));
  for (std::size_t i = 0; i < columns.size() + 4; ++i) out += " --- |";
  out += '\n';
  for (auto at = all.begin(); at != all.end();) {
    const auto end = std::find_if(at, all.end(), [&](const comparison_row& row) { return row.title != at->title; });
    const std::span rows(at, end);
    std::string processors = joined(rows, [](const comparison_row& row) { return fmt::format("P{}", row.processors); });
    out += fmt::format("| {}, {}, {} |", at->title, processors, at->unit);
    for (const std::string& who : columns)
      out +=
          fmt::format(" {} |", joined(rows, [&](const comparison_row& row) { return number_or(row.value(who), "–"); }));
    const auto to_goal = [](const comparison_row& row) {
      const auto ratio = row.to_goal();
      return ratio ? format_ratio(*ratio) : "–";
    };
    out += fmt::format(" {} | {} | {} |\n", joined(rows, [](const comparison_row& row) { return ratio_or(row, "–"); }),
                       joined(rows, [](const comparison_row& row) { return number_or(set(row.goal), "–"); }),
                       joined(rows, to_goal));
    at = end;
  }
  return out;
}

}  // namespace bench
