// The pool whose objects never go, and one owner's cache above it.
#include "runtime/base/type_stable_pool.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/support.hpp"
#include "tests/unit/lockstep.hpp"

using namespace weft::runtime;

namespace {

struct object {
  static inline long made = 0;
  static inline long destroyed = 0;
  object* next = nullptr;
  std::atomic<long> mark{0};
  std::atomic<bool> taken{false};
  std::byte body[200]{};
  object() { ++made; }
  ~object() { ++destroyed; }
};
using pool = type_stable_pool<object>;

std::vector<object*> list(object* first) {
  std::vector<object*> chain;
  for (; first != nullptr; first = first->next) chain.push_back(first);
  return chain;
}

std::size_t distinct(const std::vector<object*>& objects) { return std::set(objects.begin(), objects.end()).size(); }

long count_all(pool& p) {
  long n = 0;
  p.for_each([&](object&) { ++n; });
  return n;
}

}  // namespace

TEST_CASE("type_stable_pool: take gives a chain of what was asked for, at least one, at most what a slab has left") {
  pool p;
  CHECK(list(p.take(0)).size() == 1);
  CHECK(list(p.take()).size() == 1);
  CHECK(list(p.take(10)).size() == 10);
  CHECK(count_all(p) == 12);  // none before it is needed
  const std::vector<object*> rest = list(p.take(std::size_t{1} << 30));
  const long slab = 12 + static_cast<long>(rest.size());
  CHECK(rest.size() > 1000);
  CHECK(count_all(p) == slab);
  CHECK(list(p.take()).size() == 1);  // a new slab
  CHECK(count_all(p) == slab + 1);
}

TEST_CASE("type_stable_pool: no object is handed out twice, and none overlaps another") {
  pool p;
  std::vector<object*> all;
  while (all.size() < 20'000)
    for (object* x : list(p.take(100))) all.push_back(x);
  CHECK(distinct(all) == all.size());
  std::ranges::sort(all);
  long overlaps = 0;
  for (std::size_t i = 1; i < all.size(); ++i) overlaps += all[i - 1] + 1 > all[i];
  CHECK(overlaps == 0);
}

TEST_CASE("type_stable_pool: what was given last is taken first, a chain in its order") {
  pool p;
  const std::vector<object*> three = list(p.take(3));
  object* single = p.take();
  p.give(three[0], three[2]);
  p.give(single);
  CHECK(p.take() == single);
  CHECK(list(p.take(3)) == three);
}

TEST_CASE("type_stable_pool: an object is constructed once, keeps its state when given and taken, is never destroyed") {
  const long destroyed = object::destroyed;
  {
    pool p;
    object* x = p.take();
    const long made = object::made;
    x->mark = 77;
    p.give(x);
    CHECK(x->mark == 77);  // a late look is allowed
    CHECK(p.take() == x);
    CHECK(x->mark == 77);
    CHECK(object::made == made);
  }
  CHECK(object::destroyed == destroyed);
}

TEST_CASE("type_stable_pool: for_each visits every object once, taken or free") {
  pool p;
  std::vector<object*> taken;
  for (int i = 0; i < 8000; ++i) taken.push_back(p.take());
  p.give(taken.back());
  std::vector<object*> visited;
  p.for_each([&](object& x) { visited.push_back(&x); });
  CHECK(distinct(visited) == visited.size());
  const std::set<object*> seen(visited.begin(), visited.end());
  CHECK(std::ranges::all_of(taken, [&](object* x) { return seen.contains(x); }));
}

TEST_CASE("type_stable_pool: an object is one taker's at a time, while others look at all of them") {
  pool p;
  std::atomic<long> doubles{0};
  const auto take_and_give = [&](long i) {
    object* first = p.take(static_cast<std::size_t>(1 + i % 3));
    object* last = first;
    for (object* x = first; x != nullptr; x = x->next) {
      if (x->taken.exchange(true, std::memory_order_relaxed)) ++doubles;
      last = x;
    }
    for (object* x = first; x != nullptr; x = x->next) x->taken.store(false, std::memory_order_relaxed);
    p.give(first, last);
  };
  long wrong = 0;
  const auto look = [&](long i) {
    if (i % 10'000 == 0) p.for_each([&](const object& x) { wrong += x.mark.load(std::memory_order_relaxed) != 0; });
  };
  test::race(test::scale(200'000), take_and_give, take_and_give, look);
  CHECK(doubles.load() == 0);
  CHECK(wrong == 0);
  // None was lost either.
  const long made = count_all(p);
  CHECK(static_cast<long>(list(p.take(static_cast<std::size_t>(made))).size()) == made);
}

TEST_CASE("type_stable_pool: for_each sees the objects of a slab constructed") {
  pool p;
  const long slab = [] {
    pool other;
    return static_cast<long>(list(other.take(std::size_t{1} << 30)).size());
  }();
  long wrong = 0, seen = 0;
  std::atomic<long> slabs{0};  // relaxed: it must not order what for_each has to order
  test::race(
      20,
      [&](long) {
        static_cast<void>(p.take(static_cast<std::size_t>(slab)));
        slabs.fetch_add(1, std::memory_order_relaxed);
      },
      [&](long i) {
        do {
          seen = 0;
          p.for_each([&](const object& x) {
            wrong += x.body[0] != std::byte{0};
            ++seen;
          });
        } while (slabs.load(std::memory_order_relaxed) <= i);
      });
  CHECK(wrong == 0);
  CHECK(seen >= slab);
}

TEST_CASE("pool_cache: objects are distinct, and the one given last is taken first") {
  pool p;
  pool_cache<object> cache(p);
  std::vector<object*> taken;
  for (int i = 0; i < 1000; ++i) taken.push_back(cache.take());
  CHECK(distinct(taken) == taken.size());
  cache.give(taken[3]);
  cache.give(taken[5]);
  CHECK(cache.take() == taken[5]);
  CHECK(cache.take() == taken[3]);
}

TEST_CASE("pool_cache: too many are spilled to the pool, and the hotter half stays") {
  pool p;
  std::vector<object*> mine = list(p.take(300));
  pool_cache<object> cache(p);
  for (std::size_t i = 0; i < 128; ++i) cache.give(mine[i]);
  // The first 64 that were given are everybody's now.
  std::vector<object*> spilled = list(p.take(64));
  std::ranges::sort(spilled);
  std::vector<object*> colder(mine.begin(), mine.begin() + 64);
  std::ranges::sort(colder);
  CHECK(spilled == colder);
  long wrong = 0;
  for (std::size_t i = 128; i-- > 64;) wrong += cache.take() != mine[i];
  CHECK(wrong == 0);
}

TEST_CASE("pool_cache: whatever was taken and given, flush and destructor lose nothing") {
  for (const bool by_destructor : {false, true}) {
    pool p;
    const long made = [&] {
      pool_cache<object> cache(p);
      test::random chance(5);
      std::vector<object*> held;
      for (int i = 0; i < 20'000; ++i) {
        if (held.empty() || chance.below(100) < (i / 2000 % 2 == 0 ? 70u : 30u)) {
          held.push_back(cache.take());
        } else {
          cache.give(held.back());
          held.pop_back();
        }
      }
      for (object* x : held) cache.give(x);
      if (!by_destructor) {
        cache.flush();
        cache.flush();
      }
      return count_all(p);
    }();
    const std::vector<object*> all = list(p.take(static_cast<std::size_t>(made)));
    CHECK(static_cast<long>(all.size()) == made);
    CHECK(distinct(all) == all.size());
  }
}
