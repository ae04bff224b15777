// The pool of stacks: classes, order of reuse, layout, trimming, threads.
#include "runtime/stack/stack_pool.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "runtime/stack/depot.hpp"

using namespace weft::runtime;

namespace {

constexpr std::size_t k_kib = 1024;

std::size_t resident_pages(const stack& s) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t pages = (static_cast<std::size_t>(s.top - s.low) + page - 1) / page;
  std::vector<unsigned char> resident(pages);
  REQUIRE(::mincore(s.low, pages * page, resident.data()) == 0);
  return static_cast<std::size_t>(std::ranges::count_if(resident, [](unsigned char bits) { return (bits & 1) != 0; }));
}

std::vector<stack*> take_many(stack_cache& cache, std::size_t size, std::size_t count) {
  std::vector<stack*> taken(count);
  for (stack*& s : taken) s = cache.take(size);
  return taken;
}

void give_all(stack_cache& cache, const std::vector<stack*>& stacks) {
  for (stack* s : stacks) cache.give(s);
}

}  // namespace

TEST_CASE("stack: a size is rounded up to a power of two between 16 KiB and 1 GiB") {
  CHECK(round_stack_size(0) == 16 * k_kib);
  CHECK(round_stack_size(1) == 16 * k_kib);
  CHECK(round_stack_size(16 * k_kib) == 16 * k_kib);
  CHECK(round_stack_size(16 * k_kib + 1) == 32 * k_kib);
  CHECK(round_stack_size(64 * k_kib) == 64 * k_kib);
  CHECK(round_stack_size(k_max_stack_size - 1) == k_max_stack_size);
  CHECK(round_stack_size(k_max_stack_size) == k_max_stack_size);
  CHECK_THROWS_AS(round_stack_size(k_max_stack_size + 1), std::invalid_argument);
  CHECK_THROWS_AS(round_stack_size(SIZE_MAX), std::invalid_argument);
}

TEST_CASE("stack: every size can be taken, is usable to both ends, and stacks do not overlap") {
  stack_cache cache;
  std::vector<stack*> taken;
  for (std::size_t size = k_min_stack_size; size <= k_max_stack_size; size *= 2)
    for (int i = 0; i < 3; ++i) {
      stack* s = cache.take(size - 5);
      CHECK(s->size == size);
      CHECK(static_cast<std::size_t>(s->top - s->low) >= size);
      CHECK(reinterpret_cast<std::uintptr_t>(s->top) % 64 == 0);
      s->low[0] = std::byte{1};
      s->top[-1] = std::byte{2};
      taken.push_back(s);
    }
  std::ranges::sort(taken, {}, &stack::low);
  for (std::size_t i = 1; i < taken.size(); ++i) CHECK(taken[i - 1]->top + k_guard_size <= taken[i]->low);
  give_all(cache, taken);
}

TEST_CASE("stack: the one given last is taken first, across magazines and the depot") {
  constexpr std::size_t k_count = stack_cache::k_magazine * 5 + 7;
  constexpr std::size_t k_size = 128 * k_kib;
  stack_cache cache(k_size);
  const std::vector<stack*> first = take_many(cache, k_size, k_count);
  for (const bool flushed : {false, true}) {
    give_all(cache, first);
    if (flushed) cache.flush();
    std::vector<stack*> second = take_many(cache, k_size, k_count);
    std::ranges::reverse(second);
    CHECK(second == first);
  }
  give_all(cache, first);
}

TEST_CASE("stack: what is flushed, or of another size than the cache's, is there for other caches") {
  constexpr std::size_t k_size = 128 * k_kib;
  stack_cache one(k_size), other(k_size);
  stack* s = one.take(k_size);
  one.give(s);
  one.flush();
  CHECK(other.take(k_size) == s);
  one.serve(k_default_stack_size);
  one.give(s);
  stack* t = other.take(k_min_stack_size);
  other.give(t);
  CHECK(one.take(k_min_stack_size) == t);
  one.give(t);
  other.flush();
  CHECK(other.take(k_size) != nullptr);
}

#if WEFT_ASAN
extern "C" void __asan_poison_memory_region(const volatile void* address, std::size_t size);
extern "C" void* __asan_region_is_poisoned(void* begin, std::size_t size);

TEST_CASE("stack: one that is used again has no poison left, whichever way it went") {
  for (const std::size_t cached : {64 * k_kib, 128 * k_kib}) {
    stack_cache cache(cached);
    stack* s = cache.take(64 * k_kib);
    __asan_poison_memory_region(s->top - 512, 256);
    cache.give(s);
    REQUIRE(cache.take(64 * k_kib) == s);
    CHECK(__asan_region_is_poisoned(s->low, s->size) == nullptr);
    cache.give(s);
  }
}
#endif

TEST_CASE("stack: neighbours differ in colour, and lie an odd number of pages apart") {
  constexpr std::size_t k_size = 256 * k_kib;  // no other test's: these are carved one after the other
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  stack_cache cache(k_size);
  std::vector<stack*> taken = take_many(cache, k_size, 64);
  std::ranges::sort(taken, {}, &stack::low);
  std::set<std::uintptr_t> colours;
  for (const stack* s : taken) colours.insert(reinterpret_cast<std::uintptr_t>(s->top) % page);
  CHECK(colours.size() == k_colours);
  for (std::size_t i = 1; i < taken.size(); ++i) {
    const auto apart = static_cast<std::uintptr_t>(taken[i]->low - taken[i - 1]->low);
    CHECK(apart / page % 2 == 1);
    CHECK(reinterpret_cast<std::uintptr_t>(taken[i]->top) % page !=
          reinterpret_cast<std::uintptr_t>(taken[i - 1]->top) % page);
  }
  give_all(cache, taken);
}

TEST_CASE("stack: untouched stacks take no memory, and a trim gives back what lay idle since the last") {
  constexpr std::size_t k_size = 512 * k_kib;
  constexpr std::size_t k_drawn = 2 * stack_cache::k_magazine;  // from the depot, for 40 takes
  depot& place = depot_of(k_size);
  place.trim(true);
  stack_cache cache(k_size);
  const std::vector<stack*> taken = take_many(cache, k_size, 100);
  const auto resident = [&] {
    std::size_t pages = 0;
    for (const stack* s : taken) pages += resident_pages(*s);
    return pages;
  };
  CHECK(resident() == 0);
  for (stack* s : taken) std::memset(s->low, 1, static_cast<std::size_t>(s->top - s->low));
  const std::size_t each = resident_pages(*taken[0]);
  CHECK(each >= k_size / static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
  CHECK(resident() == 100 * each);

  give_all(cache, taken);
  cache.flush();
  const std::size_t all = place.count().free;
  CHECK(place.trim(false) == 0);
  CHECK(resident() == 100 * each);
  const std::vector<stack*> busy = take_many(cache, k_size, 40);
  give_all(cache, busy);
  cache.flush();
  CHECK(place.trim(false) == all - k_drawn);
  CHECK(place.count().trimmed == all - k_drawn);
  CHECK(resident() == k_drawn * each);
  for (const stack* s : busy) CHECK(resident_pages(*s) == each);

  CHECK(place.trim(true) == k_drawn);
  CHECK(resident() == 0);
  CHECK(place.trim(true) == 0);
  const std::vector<stack*> again = take_many(cache, k_size, 100);
  for (stack* s : again) {
    CHECK(s->top[-1] == std::byte{0});
    s->top[-1] = std::byte{3};
  }
  give_all(cache, again);
}

TEST_CASE("stack: trim_stacks and the statistics cover all sizes") {
  stack_cache cache(32 * k_kib);
  const stack_statistics before = stack_stats();
  stack* small = cache.take(32 * k_kib);
  stack* large = cache.take(8192 * k_kib);
  cache.give(small);
  cache.give(large);
  cache.flush();
  trim_stacks(true);
  const stack_statistics after = stack_stats();
  CHECK(after.mapped >= before.mapped);
  CHECK(after.mapped == after.in_use + after.free);
  CHECK(after.in_use == before.in_use);
  CHECK(after.trimmed == after.free);
  CHECK(after.free >= 2);
}

TEST_CASE("stack: an address in a guard names its stack, any other none") {
  stack_cache cache;
  for (const std::size_t size : {16 * k_kib, 64 * k_kib, 1024 * k_kib, k_max_stack_size}) {
    stack* s = cache.take(size);
    CHECK(stack_of_guard(s->low - 1) == s);
    CHECK(stack_of_guard(s->low - k_guard_size) == s);
    CHECK(stack_of_guard(s->low) == nullptr);
    CHECK(stack_of_guard(s->top) == nullptr);
    CHECK(stack_of_guard(s->top - 1) == nullptr);
    cache.give(s);
  }
  int local = 0;
  CHECK(stack_of_guard(&local) == nullptr);
  CHECK(stack_of_guard(nullptr) == nullptr);
}

TEST_CASE("stack: threads that take, give and trim never hold the same stack at once") {
  constexpr std::size_t k_size = 64 * k_kib;
  constexpr int k_rounds = 4000;
  std::atomic<int> clashes{0}, running{4};
  auto worker = [&](std::uint64_t self) {
    stack_cache cache(k_size);
    std::vector<stack*> held;
    std::uint64_t random = self;
    for (int round = 0; round < k_rounds; ++round) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      for (std::uint64_t i = random >> 58; i != 0; --i) {
        held.push_back(cache.take(k_size));
        std::memcpy(held.back()->top - sizeof self, &self, sizeof self);
      }
      for (std::uint64_t i = random >> 52 & 63; i != 0 && !held.empty(); --i) {
        std::uint64_t owner = 0;
        std::memcpy(&owner, held.back()->top - sizeof owner, sizeof owner);
        if (owner != self) ++clashes;
        std::memset(held.back()->top - sizeof owner, 0, sizeof owner);
        cache.give(held.back());
        held.pop_back();
      }
      if (round % 64 == 0) cache.flush();
    }
    give_all(cache, held);
    cache.flush();
    --running;
  };
  const stack_statistics before = stack_stats();
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 1; i <= 4; ++i) threads.emplace_back(worker, i);
    while (running != 0) trim_stacks(false);
  }
  CHECK(clashes == 0);
  CHECK(stack_stats().in_use == before.in_use);
}
