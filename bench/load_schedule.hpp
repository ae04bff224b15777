// When requests come: decided before the run, so that a late runtime does not delay the next one; the same in Go.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace bench {

using namespace std::chrono_literals;

inline constexpr std::chrono::nanoseconds k_short_work = 10us;
inline constexpr std::chrono::nanoseconds k_long_work = 10ms;

struct arrival {
  std::int64_t at;  // nanoseconds from the beginning
  bool is_long;
};

// Short ones and long ones in such numbers that each kind makes half of the load, at times drawn evenly from the whole
// of it: the load is exact, the bursts are chance's.
inline std::vector<arrival> schedule_of(double load, unsigned processors, std::chrono::nanoseconds time) {
  std::uint64_t state = 1;
  const auto draw = [&state] {  // splitmix64
    std::uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<double>((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
  };
  const auto whole = static_cast<double>(time.count());
  const double half = whole * processors * load / 2;
  std::vector<arrival> all;
  for (const bool is_long : {true, false}) {
    const auto count =
        static_cast<long>(half / static_cast<double>((is_long ? k_long_work : k_short_work).count()) + 0.5);
    for (long i = 0; i < count; ++i) all.push_back({static_cast<std::int64_t>(draw() * whole), is_long});
  }
  std::ranges::sort(all, {}, [](const arrival& a) { return std::pair(a.at, !a.is_long); });
  return all;
}

}  // namespace bench
