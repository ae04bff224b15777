// Rounds are summed up as they come; of the latencies themselves only the bins for the picture stay.
#include "bench/cancel_latency_series.hpp"

#include <algorithm>

#include "bench/support/statistics.hpp"

namespace bench {
namespace {

constexpr std::size_t k_group_size = 1000;
constexpr std::size_t k_bins = 64;

}  // namespace

void cancel_series::add(const cancel_round& round) {
  cancel_.push_back(static_cast<double>(round.cancel_ns));
  last_.push_back(static_cast<double>(std::ranges::max(round.latencies_ns)));
  if (!round.at_rest) ++unrested_;
  worst_.push_back(worst_by_bin(round.latencies_ns, k_bins));
  group_.insert(group_.end(), round.latencies_ns.begin(), round.latencies_ns.end());
  if (group_.size() >= k_group_size) close_group();
}

void cancel_series::end_block() {
  if (group_.size() >= k_group_size / 2 || (p50_.empty() && !group_.empty())) close_group();
}

void cancel_series::close_group() {
  std::ranges::sort(group_);
  p50_.push_back(static_cast<double>(percentile(group_, 50)));
  p99_.push_back(static_cast<double>(percentile(group_, 99)));
  p999_.push_back(static_cast<double>(percentile(group_, 99.9)));
  max_.push_back(static_cast<double>(group_.back()));
  group_.clear();
}

cancel_figures cancel_series::figures() const {
  return {median(cancel_), median(p50_), median(p99_), median(p999_), median(max_), median(last_)};
}

}  // namespace bench
