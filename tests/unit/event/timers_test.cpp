// A processor's timers: what is due fires once and in order, what is stale is left out, and the earliest time is known.
#include "runtime/event/timers.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/fiber/fiber_pool.hpp"
#include "tests/support/support.hpp"
#include "tests/unit/lockstep.hpp"

using namespace weft::runtime;

namespace {

// A timer that counts its firings and logs their order.
struct alarm_clock {
  timer_record record;
  std::vector<int>* log = nullptr;
  int number = 0;
  std::atomic<int> fired{0};

  alarm_clock() {
    record.set(
        [](void* owner, std::uint32_t, std::int64_t, fiber_list&) {
          auto* self = static_cast<alarm_clock*>(owner);
          self->fired.fetch_add(1, std::memory_order_relaxed);
          if (self->log != nullptr) self->log->push_back(self->number);
        },
        this);
  }
  void set(timers& t, std::int64_t when) { t.insert(when, &record, record.arm()); }
};

std::vector<fiber*> run_due(timers& t, std::int64_t now) {
  fiber_list ready;
  t.run_due(now, ready);
  std::vector<fiber*> woken;
  while (fiber* f = ready.pop_front()) woken.push_back(f);
  return woken;
}

// A control block whose waits the test plays.
struct waiting_fiber {
  fiber* f = fibers().take();
  ~waiting_fiber() { fibers().give(f); }
  std::uint32_t prepare() { return f->word.prepare(wait_mode::quiet); }
  std::uint32_t park() {
    const std::uint32_t generation = prepare();
    REQUIRE(f->word.commit() == wait_word::commit_result::waits);
    return generation;
  }
};

}  // namespace

TEST_CASE("timers: the earliest is that of what is set, and for ever when there is nothing") {
  timers t;
  std::array<alarm_clock, 4> a;
  CHECK(t.earliest() == k_forever);
  a[0].set(t, 500);
  CHECK(t.earliest() == 500);
  a[1].set(t, 700);
  CHECK(t.earliest() == 500);
  a[2].set(t, 300);
  CHECK(t.earliest() == 300);
  run_due(t, 400);
  CHECK(t.earliest() == 500);
  run_due(t, 700);
  CHECK(t.earliest() == k_forever);
  a[3].set(t, 900);
  CHECK(t.earliest() == 900);
}

TEST_CASE("timers: nothing fires before its time, and all fires at it") {
  timers t;
  alarm_clock a;
  a.set(t, 1000);
  run_due(t, 999);
  CHECK(a.fired == 0);
  run_due(t, 1000);
  CHECK(a.fired == 1);
  run_due(t, 5000);
  CHECK(a.fired == 1);
}

TEST_CASE("timers: what is due fires in the order of its times, however much of it there is") {
  for (const int count : {1, 31, 32, 33, 64, 65, 500}) {
    CAPTURE(count);
    timers t;
    std::vector<int> log;
    const auto all = std::make_unique<alarm_clock[]>(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      alarm_clock& a = all[static_cast<std::size_t>(i)];
      a.number = (i * 377) % count;  // a permutation: 377 shares no factor with any count
      a.log = &log;
      a.set(t, 10 * a.number);
    }
    run_due(t, 10 * count);
    CHECK(log.size() == static_cast<std::size_t>(count));
    CHECK(std::ranges::is_sorted(log));
    CHECK(t.earliest() == k_forever);
  }
}

TEST_CASE("timers: a stopped timer does not fire, nor does an earlier setting of one that was set again") {
  timers t;
  alarm_clock stopped, again;
  stopped.set(t, 100);
  CHECK(stopped.record.stop());
  again.set(t, 100);
  CHECK(again.record.stop());
  again.set(t, 300);
  run_due(t, 200);
  CHECK(stopped.fired == 0);
  CHECK(again.fired == 0);
  run_due(t, 300);
  CHECK(stopped.fired == 0);
  CHECK(again.fired == 1);
}

TEST_CASE("timers: a parked fiber is handed back, its wait ended by the time") {
  timers t;
  waiting_fiber w;
  t.insert(50, w.f, w.park());
  CHECK(run_due(t, 49).empty());
  CHECK(w.f->word.waits());
  CHECK(run_due(t, 50) == std::vector{w.f});
  CHECK(w.f->word.why() == wait_word::k_timeout);
  CHECK(run_due(t, 60).empty());
}

TEST_CASE("timers: a fiber that is still about to park is claimed and not handed back") {
  timers t;
  waiting_fiber w;
  t.insert(50, w.f, w.prepare());
  CHECK(run_due(t, 50).empty());
  CHECK(w.f->word.why() == wait_word::k_timeout);
  CHECK(w.f->word.commit() == wait_word::commit_result::runs);
}

TEST_CASE("timers: a fiber that was woken, and waits again, is left alone") {
  timers t;
  waiting_fiber woken, again;
  const std::uint32_t ended = woken.park();
  t.insert(50, woken.f, ended);
  REQUIRE(woken.f->word.claim(ended, 7, true) == claim_result::from_armed);
  const std::uint32_t before = again.park();
  t.insert(50, again.f, before);
  REQUIRE(again.f->word.claim(before, 7, true) == claim_result::from_armed);
  again.park();
  CHECK(run_due(t, 50).empty());
  CHECK(woken.f->word.why() == 7);
  CHECK(again.f->word.waits());
}

TEST_CASE("timers: many stale entries are swept out by the next insertion, the others stay") {
  constexpr int k_count = 200;
  for (const int stale : {10, 64, 65, 99, 101, 150, k_count}) {
    CAPTURE(stale);
    timers t;
    std::vector<alarm_clock> all(k_count + 1);
    for (int i = 0; i < k_count; ++i) all[static_cast<std::size_t>(i)].set(t, 1000 + i);
    for (int i = 0; i < stale; ++i) {
      CHECK(all[static_cast<std::size_t>(i)].record.stop());
      t.note_stale();
    }
    CHECK(t.earliest() == 1000);
    all.back().set(t, 5000);
    // Swept: the earliest is that of a timer that will fire. Too few to be worth it: never too late, perhaps too early.
    const std::int64_t live = stale == k_count ? 5000 : 1000 + stale;
    CHECK(t.earliest() == (2 * stale > k_count ? live : 1000));
    run_due(t, 5000);
    CHECK(std::ranges::count_if(all, [](const alarm_clock& a) { return a.fired == 1; }) == k_count + 1 - stale);
  }
}

TEST_CASE("timers: stale waits of fibers are swept as well, and pending ones are not") {
  timers t;
  std::vector<waiting_fiber> all(100);
  std::vector<std::uint32_t> generations;
  for (std::size_t i = 0; i < all.size(); ++i) {
    generations.push_back(all[i].park());
    t.insert(static_cast<std::int64_t>(1000 + i), all[i].f, generations[i]);
  }
  for (std::size_t i = 0; i < 80; ++i) {
    REQUIRE(all[i].f->word.claim(generations[i], 7, true) == claim_result::from_armed);
    t.note_stale();
  }
  alarm_clock last;
  last.set(t, 9000);
  CHECK(t.earliest() == 1080);
  CHECK(run_due(t, 5000).size() == 20);
}

TEST_CASE("timers: a heap that takes over another's has what is pending, and says so in the records") {
  timers before, after;
  alarm_clock pending, stopped;
  pending.set(before, 10);
  stopped.set(before, 20);
  REQUIRE(stopped.record.stop());
  after.take_all(before, 7);
  CHECK(before.earliest() == k_forever);
  CHECK(after.earliest() == 10);
  CHECK(pending.record.heap.load() == 7);
  run_due(before, 30);
  CHECK(pending.fired == 0);
  run_due(after, 30);
  CHECK(pending.fired == 1);
  CHECK(stopped.fired == 0);
}

TEST_CASE("timers: a callback may set timers, also ones that are due") {
  struct ticking {
    timers t;
    timer_record record;
    std::vector<std::int64_t> at;
  } ticker;
  ticker.record.set(
      [](void* owner, std::uint32_t, std::int64_t now, fiber_list&) {
        auto* self = static_cast<ticking*>(owner);
        self->at.push_back(now);
        self->t.insert(static_cast<std::int64_t>(self->at.size()) * 10, &self->record, self->record.arm());
      },
      &ticker);
  ticker.t.insert(0, &ticker.record, ticker.record.arm());
  run_due(ticker.t, 25);  // sets 10
  CHECK(ticker.t.earliest() == 10);
  run_due(ticker.t, 26);  // sets 20
  run_due(ticker.t, 27);  // sets 30
  CHECK(ticker.at == std::vector<std::int64_t>{25, 26, 27});
  CHECK(ticker.t.earliest() == 30);
  run_due(ticker.t, 29);
  CHECK(ticker.at.size() == 3);
}

TEST_CASE("timers: with two that look for what is due and one that stops, each timer fires once or was stopped") {
  const long count = test::scale(50'000);
  timers t;
  std::vector<alarm_clock> all(static_cast<std::size_t>(count));
  std::vector<char> stopped(all.size());
  for (long i = 0; i < count; ++i) all[static_cast<std::size_t>(i)].set(t, i);
  const auto look = [&](long i) { run_due(t, i); };
  test::race(count, look, look, [&](long i) {
    if (!all[static_cast<std::size_t>(i)].record.stop()) return;
    stopped[static_cast<std::size_t>(i)] = 1;
    t.note_stale();
  });
  long wrong = 0;
  for (std::size_t i = 0; i < all.size(); ++i) wrong += all[i].fired + stopped[i] != 1;
  CHECK(wrong == 0);
  CHECK(t.earliest() == k_forever);
}

TEST_CASE("timers: what is inserted while others look is neither lost nor fired early") {
  const long count = test::scale(50'000);
  timers t;
  std::vector<alarm_clock> all(static_cast<std::size_t>(count));
  test::race(count, [&](long i) { all[static_cast<std::size_t>(i)].set(t, i); }, [&](long i) { run_due(t, i / 2); });
  CHECK(std::ranges::count_if(all, [](const alarm_clock& a) { return a.fired > 1; }) == 0);
  // The looker's last time was (count - 1) / 2.
  CHECK(std::ranges::count_if(all.begin() + (count - 1) / 2 + 1, all.end(),
                              [](const alarm_clock& a) { return a.fired != 0; }) == 0);
  const auto left = std::ranges::find_if(all, [](const alarm_clock& a) { return a.fired == 0; });
  CHECK(t.earliest() == (left == all.end() ? k_forever : left - all.begin()));
  run_due(t, count);
  CHECK(std::ranges::count_if(all, [](const alarm_clock& a) { return a.fired == 1; }) == count);
}
