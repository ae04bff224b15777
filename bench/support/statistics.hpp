// What the benchmarks compute from their samples: percentiles by nearest rank, medians, and rows binned for a picture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bench {

// The smallest sample that at least `percent` of all samples do not exceed. The samples are sorted and not empty.
std::int64_t percentile(std::span<const std::int64_t> sorted, double percent);

// Zero for no samples; the mean of the middle two for an even number.
double median(std::vector<double> samples);

// At most `bins` equal stretches of the samples, each as its largest value: what stands out stays visible.
std::vector<float> worst_by_bin(std::span<const std::int64_t> samples, std::size_t bins);

}  // namespace bench
