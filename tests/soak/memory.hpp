// Whether memory is flat: what is resident at most in the last third after the warm-up is not more than in the first.
#pragma once
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace soak {

class memory_record {
 public:
  using duration = std::chrono::steady_clock::duration;

  static constexpr int k_warm_up_percent = 25;
  static constexpr std::size_t k_margin = 16 << 20;  // and a tenth of what there was
  // Pools and caches go on filling for about so long; a shorter run is not judged.
  static constexpr std::chrono::seconds k_shortest{60};

  void add(duration at, std::size_t bytes);
  std::size_t latest() const { return latest_; }
  std::size_t most() const { return most_; }

  // A sentence with the two figures.
  struct verdict {
    bool flat;
    std::string text;
  };
  verdict judge() const;

 private:
  struct sample {
    duration at;
    std::size_t bytes;
  };
  std::vector<sample> samples_;
  std::size_t latest_ = 0, most_ = 0;
};

// "12.3 MiB".
std::string mebibytes(std::size_t bytes);

}  // namespace soak
