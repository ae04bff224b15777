// Nearest-rank percentiles: every figure printed is a value that was measured.
#include "bench/support/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace bench {

std::int64_t percentile(std::span<const std::int64_t> sorted, double percent) {
  const double rank = std::ceil(percent / 100.0 * static_cast<double>(sorted.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

double median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  if (samples.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(samples.begin(), middle)) / 2;
}

std::vector<float> worst_by_bin(std::span<const std::int64_t> samples, std::size_t bins) {
  bins = std::min(bins, samples.size());
  std::vector<float> worst(bins);
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const std::size_t first = bin * samples.size() / bins;
    const std::size_t last = (bin + 1) * samples.size() / bins;
    worst[bin] = static_cast<float>(std::ranges::max(samples.subspan(first, last - first)));
  }
  return worst;
}

}  // namespace bench
