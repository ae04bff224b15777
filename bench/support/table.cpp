// Column widths are those of the widest cell; everything is printed at the end, so nothing flickers.
#include "bench/support/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bench {

std::string format_number(double value) {
  const double size = std::abs(value);
  if (size >= 999.5) return format_count(std::llround(value));
  if (size >= 100) return fmt::format("{:.0f}", value);
  if (size >= 10) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

std::string format_duration(double nanoseconds) {
  if (nanoseconds < 999.5) return fmt::format("{:.0f} ns", nanoseconds);
  if (nanoseconds < 999.5e3) return format_number(nanoseconds / 1e3) + " us";
  if (nanoseconds < 999.5e6) return format_number(nanoseconds / 1e6) + " ms";
  return format_number(nanoseconds / 1e9) + " s ";
}

std::string format_ratio(double value) {
  return value < 0.1 ? fmt::format("{:.3f}x", value) : format_number(value) + "x";
}

std::string format_count(long long value) {
  const std::string digits = fmt::format("{}", value);
  std::string grouped;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0 && digits[i - 1] != '-') grouped += ',';
    grouped += digits[i];
  }
  return grouped;
}

void table::section(std::string title) { lines_.push_back({std::move(title), {}}); }

void table::row(std::vector<std::string> cells) {
  cells.resize(heading_.size());
  lines_.push_back({{}, std::move(cells)});
}

void table::print(std::FILE* to) const {
  std::vector<std::size_t> widths;
  for (const std::string& cell : heading_) widths.push_back(cell.size());
  for (const line& l : lines_)
    for (std::size_t i = 0; i < l.cells.size(); ++i) widths[i] = std::max(widths[i], l.cells[i].size());

  const auto put = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i)
      text += i < 2 ? fmt::format("{:<{}}  ", cells[i], widths[i]) : fmt::format("{:>{}}  ", cells[i], widths[i]);
    text.erase(text.find_last_not_of(' ') + 1);
    fmt::print(to, "{}\n", text);
  };
  put(heading_);
  for (const line& l : lines_) {
    if (l.cells.empty())
      fmt::print(to, "\n{}\n", l.section);
    else
      put(l.cells);
  }
}

}  // namespace bench
