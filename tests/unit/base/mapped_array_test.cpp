// The growing array in a mapping of its own.
#include "runtime/base/mapped_array.hpp"

#include <cstddef>

#include "tests/support/support.hpp"

using namespace weft::runtime;

namespace {
struct odd_size {
  std::size_t value;
  std::size_t more[2];
};
}  // namespace

TEST_CASE("mapped_array: it grows over many pages and keeps every element") {
  mapped_array<odd_size> a;
  CHECK(a.empty());
  constexpr std::size_t k_count = 100'000;
  for (std::size_t i = 0; i < k_count; ++i) a.push_back({i, {i + 1, i + 2}});
  CHECK(a.size() == k_count);
  long wrong = 0;
  for (std::size_t i = 0; i < k_count; ++i) wrong += a[i].value != i || a[i].more[1] != i + 2;
  CHECK(wrong == 0);
  for (std::size_t i = 0; i < k_count; ++i) a.pop_back();
  CHECK(a.empty());
}

TEST_CASE("mapped_array: erase_if keeps the others in their order, and room for more") {
  mapped_array<int> a;
  for (int i = 0; i < 1000; ++i) a.push_back(i);
  a.erase_if([](int x) { return x % 3 != 0; });
  CHECK(a.size() == 334);
  long wrong = 0;
  for (std::size_t i = 0; i < a.size(); ++i) wrong += a[i] != static_cast<int>(i) * 3;
  CHECK(wrong == 0);
  a.push_back(-1);
  CHECK(a[334] == -1);
  a.erase_if([](int) { return true; });
  CHECK(a.empty());
}
