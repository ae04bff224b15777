// The heap of what is due when, against std::multiset.
#include "runtime/event/timer_heap.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>

#include "tests/support/support.hpp"

using namespace weft::runtime;

namespace {

// Pops all and gives whether that was exactly `wanted`, in order.
bool drains_to(timer_heap& heap, const std::multiset<std::int64_t>& wanted) {
  if (heap.size() != wanted.size()) return false;
  for (const std::int64_t when : wanted) {
    if (heap.empty() || heap.top().when != when) return false;
    heap.pop();
  }
  return heap.empty();
}

}  // namespace

TEST_CASE("timer_heap: the top is the earliest after any row of pushes and pops") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    test::random chance(seed);
    timer_heap heap;
    std::multiset<std::int64_t> model;
    const unsigned range = seed % 2 == 0 ? 10 : 1'000'000;  // many equal ones, or hardly any
    long wrong = 0;
    for (int i = 0; i < 3000; ++i) {
      if (model.empty() || chance.below(100) < (i < 1500 ? 65u : 40u)) {
        const std::int64_t when = chance.below(range);
        heap.push({when, static_cast<std::uintptr_t>(when) * 8, static_cast<std::uint32_t>(when)});
        model.insert(when);
      } else {
        wrong += heap.top().when != *model.begin();
        heap.pop();
        model.erase(model.begin());
      }
      wrong += heap.size() != model.size();
      wrong += !model.empty() && heap.top().when != *model.begin();
    }
    CHECK(wrong == 0);
    CHECK(drains_to(heap, model));
  }
}

TEST_CASE("timer_heap: gathers what is due by a time, and no more than asked") {
  for (unsigned size = 0; size < 70; ++size) {
    CAPTURE(size);
    test::random chance(size + 1);
    timer_heap heap;
    std::multiset<std::int64_t> model;
    for (unsigned i = 0; i < size; ++i) {
      const std::int64_t when = chance.below(50);
      heap.push({when, 0, 0});
      model.insert(when);
    }
    for (const std::int64_t until : {-1, 0, 10, 30, 49, 50}) {
      const auto end = model.upper_bound(until);
      const auto due = static_cast<int>(std::distance(model.begin(), end));
      for (const int most : {0, 1, 2, 4, 100}) {
        timer_crowd c;
        heap.gather(until, most, c);
        CHECK(c.count == std::min(due, most));
        if (c.count == 0) continue;
        CHECK(c.last <= until);
        CHECK(model.contains(c.last));
        if (due <= most) CHECK(c.last == *std::prev(end));
      }
      timer_crowd full{4, 7};
      heap.gather(until, 4, full);
      CHECK(full.count == 4);
      CHECK(full.last == 7);
    }
  }
}

TEST_CASE("timer_heap: target and generation stay with their time") {
  timer_heap heap;
  test::random chance(7);
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t when = chance.below(500);
    heap.push({when, static_cast<std::uintptr_t>(when) * 8, static_cast<std::uint32_t>(when) + 3});
  }
  long wrong = 0;
  for (; !heap.empty(); heap.pop()) {
    const timer_entry& e = heap.top();
    wrong += e.target != static_cast<std::uintptr_t>(e.when) * 8;
    wrong += e.generation != static_cast<std::uint32_t>(e.when) + 3;
  }
  CHECK(wrong == 0);
}

TEST_CASE("timer_heap: compact drops the stale entries, keeps the others, and is a heap after it") {
  for (unsigned size = 0; size < 70; ++size)
    for (const unsigned keep : {0u, 1u, 2u, 5u, 100u}) {
      CAPTURE(size);
      CAPTURE(keep);
      test::random chance(size * 7 + keep);
      timer_heap heap;
      std::multiset<std::int64_t> kept;
      for (unsigned i = 0; i < size; ++i) {
        const auto when = static_cast<std::int64_t>(chance.below(1000));
        const bool stale = chance.below(100) >= keep * 20;
        heap.push({when, 0, stale ? 1u : 0u});
        if (!stale) kept.insert(when);
      }
      heap.compact([](const timer_entry& e) { return e.generation == 1; });
      CHECK(drains_to(heap, kept));
    }
}

TEST_CASE("timer_heap: it grows over many pages and forgets nothing") {
  timer_heap heap;
  constexpr std::int64_t k_count = 100'000;
  for (std::int64_t i = 0; i < k_count; ++i) heap.push({(i * 7919) % k_count, 0, 0});
  CHECK(heap.size() == static_cast<std::size_t>(k_count));
  long wrong = 0;
  for (std::int64_t i = 0; i < k_count; ++i, heap.pop()) wrong += heap.top().when != i;
  CHECK(wrong == 0);
  CHECK(heap.empty());
}
