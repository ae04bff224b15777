// What is kept of the rounds of one workload on one runtime, and the figures made of it.
//
// Percentiles are taken over a group of rounds that together hold at least 1,000 latencies (with 1,000 fibers and more:
// each round by itself); the figure is the median of that percentile over the groups. cancel() and the last fiber have
// one value a round; their figures are medians over the rounds.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/cancel_rounds.hpp"

namespace bench {

struct cancel_figures {  // nanoseconds
  double cancel;
  double p50;
  double p99;
  double p999;
  double max;
  double last;
};

class cancel_series {
 public:
  void add(const cancel_round& round);
  void end_block();  // the next round comes from another run of the runtime

  cancel_figures figures() const;
  int rounds() const { return static_cast<int>(last_.size()); }
  int unrested() const { return unrested_; }  // rounds begun before all were seen parked
  const std::vector<std::vector<float>>& worst() const {
    return worst_;
  }  // by round and bin of fibers, for the picture

 private:
  void close_group();

  std::vector<std::int64_t> group_;  // the latencies of rounds not yet summed up
  std::vector<double> p50_, p99_, p999_, max_;
  std::vector<double> cancel_, last_;
  std::vector<std::vector<float>> worst_;
  int unrested_ = 0;
};

}  // namespace bench
