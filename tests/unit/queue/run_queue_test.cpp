// The processor's run queue, with four places so that it is full, wraps and is halved all the time.
#include "runtime/queue/run_queue.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <vector>

#include "tests/support/support.hpp"
#include "tests/unit/lockstep.hpp"

using namespace weft::runtime;

namespace {

struct item {
  int number = 0;
  std::atomic<int> runs{0};
};
using small_queue = run_queue<item, 4>;

std::vector<int> drain(small_queue& q) {
  std::vector<int> numbers;
  while (item* x = q.pop()) numbers.push_back(x->number);
  return numbers;
}

struct numbered : std::array<item, 8> {
  numbered() {
    for (int i = 0; i < 8; ++i) (*this)[static_cast<std::size_t>(i)].number = i;
  }
};

// Fills a queue with the items 0 to n - 1, after `before` have gone through it.
void fill(small_queue& q, numbered& items, std::size_t n, std::size_t before) {
  for (std::size_t i = 0; i < before; ++i) {
    REQUIRE(q.push(&items[7]));
    REQUIRE(q.pop() == &items[7]);
  }
  for (std::size_t i = 0; i < n; ++i) REQUIRE(q.push(&items[i]));
}

}  // namespace

TEST_CASE("run_queue: what was pushed first is popped first, and an empty queue gives null") {
  small_queue q;
  numbered items;
  CHECK(q.pop() == nullptr);
  fill(q, items, 3, 0);
  CHECK(drain(q) == std::vector{0, 1, 2});
  CHECK(q.pop() == nullptr);
}

TEST_CASE("run_queue: a full queue refuses a push, keeps what it has, and takes one more after a pop") {
  small_queue q;
  numbered items;
  fill(q, items, 4, 0);
  CHECK_FALSE(q.push(&items[4]));
  CHECK(q.size() == 4);
  CHECK(q.pop() == &items[0]);
  CHECK(q.push(&items[4]));
  CHECK_FALSE(q.push(&items[5]));
  CHECK(drain(q) == std::vector{1, 2, 3, 4});
}

TEST_CASE("run_queue: order holds from every place in the ring, however often it wraps") {
  for (std::size_t before = 0; before < 9; ++before)
    for (std::size_t n = 0; n <= 4; ++n) {
      small_queue q;
      numbered items;
      fill(q, items, n, before);
      CHECK(q.size() == n);
      CHECK(q.empty() == (n == 0));
      std::vector<int> wanted;
      for (std::size_t i = 0; i < n; ++i) wanted.push_back(static_cast<int>(i));
      CHECK(drain(q) == wanted);
    }
}

TEST_CASE("run_queue: a grab takes half, rounded up, oldest first, and leaves the rest in order") {
  for (std::size_t before = 0; before < 4; ++before)
    for (std::size_t n = 0; n <= 4; ++n) {
      CAPTURE(before);
      CAPTURE(n);
      small_queue q;
      numbered items;
      fill(q, items, n, before);
      std::array<item*, 2> out{};
      const std::size_t taken = q.grab_half(out);
      CHECK(taken == (n + 1) / 2);
      for (std::size_t i = 0; i < taken; ++i) CHECK(out[i] == &items[i]);
      std::vector<int> rest;
      for (std::size_t i = taken; i < n; ++i) rest.push_back(static_cast<int>(i));
      CHECK(drain(q) == rest);
    }
}

TEST_CASE("run_queue: a thief gets half, one to run and the others queued in their order") {
  for (std::size_t n = 0; n <= 4; ++n) {
    CAPTURE(n);
    small_queue victim, thief;
    numbered items;
    fill(victim, items, n, 3);
    fill(thief, items, 0, 2);
    const std::size_t taken = (n + 1) / 2;
    item* runs = thief.steal_from(victim);
    CHECK(runs == (taken == 0 ? nullptr : &items[taken - 1]));
    CHECK(thief.size() == (taken == 0 ? 0 : taken - 1));
    CHECK(drain(thief) == (taken == 2 ? std::vector{0} : std::vector<int>{}));
    CHECK(victim.size() == n - taken);
  }
}

TEST_CASE("run_queue: every item runs exactly once, whoever of an owner and two thieves takes it") {
  const long count = test::scale(200'000);
  std::vector<item> items(static_cast<std::size_t>(count));
  std::array<small_queue, 3> queues;  // the owner's and the thieves'
  std::array<long, 3> ran{};

  const auto run = [&](std::size_t self, item* x) {
    if (x == nullptr) return false;
    x->runs.fetch_add(1, std::memory_order_relaxed);
    ++ran[self];
    return true;
  };
  const auto run_own = [&](std::size_t self) {
    while (run(self, queues[self].pop())) {
    }
  };
  // From the owner in most rounds, else from the other thief, whose queue then holds the second of two that it stole.
  const auto thief = [&](std::size_t self) {
    return [&, self](long i) {
      run(self, queues[self].steal_from(queues[i % 4 == 0 ? 3 - self : 0]));
      run_own(self);
    };
  };
  test::race(
      count,
      [&](long i) {
        while (!queues[0].push(&items[static_cast<std::size_t>(i)])) run(0, queues[0].pop());
        if (i % 2 == 0) run(0, queues[0].pop());
      },
      thief(1), thief(2));
  for (std::size_t self = 0; self < 3; ++self) run_own(self);

  CHECK(std::ranges::count_if(items, [](const item& x) { return x.runs == 0; }) == 0);
  CHECK(std::ranges::count_if(items, [](const item& x) { return x.runs > 1; }) == 0);
  CHECK(ran[0] + ran[1] + ran[2] == count);
}

TEST_CASE("run_queue: what the pusher wrote into an item is seen by whoever takes it") {
  struct plain {
    long value = 0;
  };
  const long count = test::scale(200'000);
  std::vector<plain> items(static_cast<std::size_t>(count));
  run_queue<plain, 4> mine, theirs;
  long stolen = 0, kept = 0;
  const auto take = [](run_queue<plain, 4>& q) {
    const plain* x = q.pop();
    return x == nullptr ? 0 : x->value;
  };
  test::race(
      count,
      [&](long i) {
        plain& x = items[static_cast<std::size_t>(i)];
        x.value = 1;
        while (!mine.push(&x)) kept += take(mine);
        if (i % 3 == 0) kept += take(mine);
      },
      [&](long) {
        if (const plain* x = theirs.steal_from(mine)) stolen += x->value;
        stolen += take(theirs);
      });
  while (!mine.empty()) kept += take(mine);
  CHECK(stolen + kept == count);
}

// The second thief never looks at the owner's queue: what it sees of an item it owes to the first one.
TEST_CASE("run_queue: what is stolen from a thief is seen as its owner left it") {
  const long count = test::scale(200'000);
  std::vector<int> seen;
  while (seen.empty()) {  // a race may be over before the second thief has met one of the items
    std::vector<item> items(static_cast<std::size_t>(count));
    small_queue owner, between, last;
    test::race(
        count,
        [&](long i) {
          item& x = items[static_cast<std::size_t>(i)];
          x.number = static_cast<int>(i) + 1;
          if (!owner.push(&x)) owner.pop();
        },
        [&](long i) {
          if (between.empty())
            between.steal_from(owner);
          else if (i % 8 == 0)
            between.pop();
        },
        [&](long) {
          if (const item* x = last.steal_from(between)) seen.push_back(x->number);
        });
  }
  CHECK(std::ranges::is_sorted(seen, std::less_equal{}));
  CHECK(std::ranges::find(seen, 0) == seen.end());
}
