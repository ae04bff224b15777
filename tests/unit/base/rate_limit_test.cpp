// The limit of a rate: so many at once, then one an interval; what was not used is saved up to that.
#include "runtime/base/rate_limit.hpp"

#include <cstdint>

#include "tests/support/support.hpp"

using namespace weft::runtime;

namespace {

constexpr std::int64_t k_start = 1'000'000'000'000;

// How many may happen at that time.
int allowed(rate_limit& r, std::int64_t now) {
  int n = 0;
  for (; r.allowed_from() <= now; ++n) r.count(now);
  return n;
}

}  // namespace

TEST_CASE("rate limit: so many at once, then one an interval") {
  rate_limit r(100, 4);
  CHECK(allowed(r, k_start) == 4);
  CHECK(r.allowed_from() == k_start + 100);
  CHECK(allowed(r, k_start + 99) == 0);
  for (int i = 1; i <= 10; ++i) CHECK(allowed(r, k_start + 100 * i) == 1);
}

TEST_CASE("rate limit: what is not used is saved, up to what may happen at once") {
  rate_limit r(100, 4);
  CHECK(allowed(r, k_start) == 4);
  CHECK(allowed(r, k_start + 250) == 2);
  CHECK(allowed(r, k_start + 300) == 1);
  CHECK(allowed(r, k_start + 1'000'000) == 4);
}

TEST_CASE("rate limit: what happens beyond it counts too") {
  rate_limit r(100, 1);
  for (int i = 0; i < 3; ++i) r.count(k_start);
  CHECK(r.allowed_from() == k_start + 300);
  CHECK(allowed(r, k_start + 299) == 0);
  CHECK(allowed(r, k_start + 300) == 1);
}
