#include "memory.hpp"

#include <algorithm>
#include <cstdio>

namespace soak {

std::string mebibytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

void memory_record::add(duration at, std::size_t bytes) {
  samples_.push_back({at, bytes});
  latest_ = bytes;
  most_ = std::max(most_, bytes);
}

memory_record::verdict memory_record::judge() const {
  if (samples_.empty() || samples_.back().at < k_shortest) return {true, "not judged: too short"};
  const duration whole = samples_.back().at;
  const duration begin = whole * k_warm_up_percent / 100;
  const duration third = (whole - begin) / 3;
  std::size_t first = 0, last = 0;
  for (const sample& s : samples_) {
    if (s.at >= begin && s.at < begin + third) first = std::max(first, s.bytes);
    if (s.at >= whole - third) last = std::max(last, s.bytes);
  }
  const std::size_t limit = first + first / 10 + k_margin;
  return {last <= limit, "at most " + mebibytes(first) + " in the first third after the warm-up, " + mebibytes(last) +
                             " in the last; the limit is " + mebibytes(limit)};
}

}  // namespace soak
