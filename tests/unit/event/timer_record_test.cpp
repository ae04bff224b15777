// A timer's record: armed, stopped, fired, and who decides between the last two.
#include "runtime/event/timer_record.hpp"

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

#include "tests/support/support.hpp"
#include "tests/unit/lockstep.hpp"

using namespace weft::runtime;

namespace {

struct call {
  int times = 0;
  std::uint32_t generation = 0;
  std::int64_t now = 0;
};

void remember(void* owner, std::uint32_t generation, std::int64_t now, fiber_list&) {
  call& c = *static_cast<call*>(owner);
  c = {c.times + 1, generation, now};
}

struct recorded {
  timer_record record;
  call seen;
  fiber_list ready;
  recorded() { record.set(&remember, &seen); }
};

}  // namespace

TEST_CASE("timer_record: nothing is armed at first") {
  recorded r;
  CHECK_FALSE(r.record.current(0));
  CHECK_FALSE(r.record.firing());
  CHECK_FALSE(r.record.begin_firing(0));
  CHECK_FALSE(r.record.stop());
}

TEST_CASE("timer_record: it fires once per arming, with the generation and time it is given") {
  recorded r;
  for (int i = 1; i <= 3; ++i) {
    const std::uint32_t generation = r.record.arm();
    CHECK(r.record.current(generation));
    CHECK(r.record.begin_firing(generation));
    CHECK(r.record.firing());
    CHECK_FALSE(r.record.begin_firing(generation));
    r.record.fire(generation, 1000 + i, r.ready);
    CHECK_FALSE(r.record.firing());
    CHECK_FALSE(r.record.begin_firing(generation));
    CHECK(r.seen.times == i);
    CHECK(r.seen.generation == generation);
    CHECK(r.seen.now == 1000 + i);
  }
}

TEST_CASE("timer_record: each arming has a generation of its own, and those before it are stale") {
  recorded r;
  const std::uint32_t first = r.record.arm();
  CHECK(r.record.stop());
  const std::uint32_t second = r.record.arm();
  CHECK(second == first + 1);
  CHECK_FALSE(r.record.current(first));
  CHECK_FALSE(r.record.begin_firing(first));
  CHECK(r.record.current(second));
  CHECK(r.record.begin_firing(second));
}

TEST_CASE("timer_record: stop is true once, and then it does not fire") {
  recorded r;
  const std::uint32_t generation = r.record.arm();
  CHECK(r.record.stop());
  CHECK_FALSE(r.record.stop());
  CHECK_FALSE(r.record.current(generation));
  CHECK_FALSE(r.record.begin_firing(generation));
}

TEST_CASE("timer_record: stop is false for one that fires or has fired, and does not end the firing") {
  recorded r;
  const std::uint32_t generation = r.record.arm();
  REQUIRE(r.record.begin_firing(generation));
  CHECK_FALSE(r.record.stop());
  CHECK(r.record.firing());
  r.record.fire(generation, 0, r.ready);
  CHECK_FALSE(r.record.stop());
  CHECK(r.seen.times == 1);
}

TEST_CASE("timer_record: a callback may arm it again, and it stays armed") {
  struct ticking {
    timer_record record;
    std::uint32_t next = 0;
  } t;
  t.record.set(
      [](void* owner, std::uint32_t, std::int64_t, fiber_list&) {
        auto* self = static_cast<ticking*>(owner);
        self->next = self->record.arm();
      },
      &t);
  fiber_list ready;
  const std::uint32_t generation = t.record.arm();
  REQUIRE(t.record.begin_firing(generation));
  t.record.fire(generation, 0, ready);
  CHECK(t.next == generation + 1);
  CHECK_FALSE(t.record.firing());
  CHECK(t.record.current(t.next));
  CHECK(t.record.stop());
}

TEST_CASE("timer_record: the end of one firing does not end the next, which another thread may have begun") {
  struct ticking {
    timer_record record;
    std::uint32_t next = 0;
    bool begun = false;
  } t;
  t.record.set(
      [](void* owner, std::uint32_t, std::int64_t, fiber_list&) {
        auto* self = static_cast<ticking*>(owner);
        self->next = self->record.arm();
        self->begun = self->record.begin_firing(self->next);  // due at once, and found by somebody else
      },
      &t);
  fiber_list ready;
  const std::uint32_t generation = t.record.arm();
  REQUIRE(t.record.begin_firing(generation));
  t.record.fire(generation, 0, ready);
  REQUIRE(t.begun);
  CHECK(t.record.firing());  // or settle() would let the owner go while a callback runs
}

TEST_CASE("timer_record: settle returns when the callback has, and sees what it wrote") {
  struct slow {
    std::atomic<bool> entered{false}, settling{false};
    long result = 0;
  } s;
  timer_record record;
  record.set(
      [](void* owner, std::uint32_t, std::int64_t, fiber_list&) {
        auto* self = static_cast<slow*>(owner);
        self->entered.store(true, std::memory_order_relaxed);
        while (!self->settling.load(std::memory_order_relaxed)) std::this_thread::yield();
        for (int i = 0; i < 100; ++i) std::this_thread::yield();
        self->result = 42;
      },
      &s);
  const std::uint32_t generation = record.arm();
  REQUIRE(record.begin_firing(generation));
  std::thread firing([&] {
    fiber_list ready;
    record.fire(generation, 0, ready);
  });
  while (!s.entered.load(std::memory_order_relaxed)) std::this_thread::yield();
  s.settling.store(true, std::memory_order_relaxed);
  record.settle();
  CHECK(s.result == 42);
  firing.join();
}

TEST_CASE("timer_record: of stop and fire exactly one has its way, whichever comes first") {
  struct round : recorded {
    std::uint32_t generation = 0;
    bool stopped = false;
  };
  const long rounds = test::scale(100'000);
  std::vector<round> all(static_cast<std::size_t>(rounds));
  for (round& r : all) r.generation = r.record.arm();
  long unsettled = 0;
  test::race(
      rounds,
      [&](long i) {
        round& r = all[static_cast<std::size_t>(i)];
        if (r.record.begin_firing(r.generation)) r.record.fire(r.generation, i, r.ready);
      },
      [&](long i) {
        round& r = all[static_cast<std::size_t>(i)];
        r.stopped = r.record.stop();
        r.record.settle();
        if (!r.stopped && r.seen.times != 1) ++unsettled;
      });
  CHECK(unsettled == 0);
  CHECK(std::ranges::count_if(all, [](const round& r) { return (r.seen.times == 1) == r.stopped; }) == 0);
  CHECK(std::ranges::count_if(all, [](const round& r) { return r.seen.times > 1 || r.record.firing(); }) == 0);
}

TEST_CASE("timer_record: the callback sees what its owner wrote before it was armed") {
  struct round {
    timer_record record;
    fiber_list ready;
    long written = 0, seen = 0;  // plain: ThreadSanitizer tells whether the callback is ordered behind the owner
    round() {
      record.set(
          [](void* owner, std::uint32_t, std::int64_t, fiber_list&) {
            auto* self = static_cast<round*>(owner);
            self->seen = self->written;
          },
          this);
    }
  };
  const long rounds = test::scale(20'000);
  std::vector<round> all(static_cast<std::size_t>(rounds));
  test::race(
      rounds,
      [&](long i) {
        round& r = all[static_cast<std::size_t>(i)];
        r.written = i + 1;
        r.record.arm();
      },
      [&](long i) {
        round& r = all[static_cast<std::size_t>(i)];
        while (!r.record.begin_firing(1)) std::this_thread::yield();
        r.record.fire(1, i, r.ready);
      });
  long wrong = 0;
  for (long i = 0; i < rounds; ++i) wrong += all[static_cast<std::size_t>(i)].seen != i + 1;
  CHECK(wrong == 0);
}
