// Small random numbers: in bounds, spread, different by seed.
#include "runtime/base/random.hpp"

#include <array>
#include <cstdint>
#include <set>

#include "tests/support/support.hpp"

using namespace weft::runtime;

TEST_CASE("random: below stays below its bound") {
  random_source r(1);
  long wrong = 0;
  for (const std::uint32_t bound : {1u, 2u, 3u, 7u, 256u, 1'000'000u, 0x8000'0001u, UINT32_MAX})
    for (int i = 0; i < 10'000; ++i) wrong += r.below(bound) >= bound;
  CHECK(wrong == 0);
}

TEST_CASE("random: below reaches every value about equally often, from whatever seed") {
  constexpr long k_draws = 70'000;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{12345}, UINT64_MAX}) {
    random_source r(seed);
    std::array<long, 7> counts{};
    for (long i = 0; i < k_draws; ++i) ++counts[r.below(7)];
    for (const long n : counts) {
      CHECK(n > 9'500);  // expected 10,000 with a deviation of 93
      CHECK(n < 10'500);
    }
  }
}

TEST_CASE("random: numbers do not repeat soon, and neighbouring seeds give rows of their own") {
  std::set<std::uint64_t> pairs;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    random_source r(seed);
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t high = r.next();
      pairs.insert(high << 32 | r.next());
    }
  }
  CHECK(pairs.size() == 100 * 100);
}
