// The one-shot wake-up: one sleeper, one token.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/futex.hpp"
#include "tests/support/support.hpp"
#include "tests/unit/lockstep.hpp"

using namespace weft::runtime;

namespace {
constexpr std::int64_t k_ms = 1'000'000;
}

TEST_CASE("note: a token posted before the wait lets one wait through") {
  note n;
  CHECK_FALSE(n.posted());
  n.post();
  CHECK(n.posted());
  CHECK(n.wait());
  CHECK_FALSE(n.posted());
  CHECK_FALSE(n.wait(now_ns()));
}

TEST_CASE("note: two posts before a wait are one token") {
  note n;
  n.post();
  n.post();
  CHECK(n.wait());
  CHECK_FALSE(n.wait(now_ns()));
}

TEST_CASE("note: a token is taken even when the deadline is long past") {
  note n;
  n.post();
  CHECK(n.wait(0));
  CHECK_FALSE(n.wait(0));
}

TEST_CASE("note: without a token a wait lasts until its deadline, not shorter") {
  note n;
  for (const std::int64_t ns : {k_ms / 100, k_ms, 20 * k_ms}) {
    const std::int64_t until = now_ns() + ns;
    CHECK_FALSE(n.wait(until));
    CHECK(now_ns() >= until);
  }
}

TEST_CASE("note: after a wait that timed out the next token counts once") {
  note n;
  CHECK_FALSE(n.wait(now_ns() + k_ms));
  n.post();
  CHECK(n.wait());
  CHECK_FALSE(n.wait(now_ns()));
}

TEST_CASE("note: a post wakes the sleeper well before its deadline, and shows it what the poster wrote") {
  note n;
  int written = 0;
  std::thread poster([&] {
    written = 5;
    n.post();
  });
  const std::int64_t until = now_ns() + 60'000 * k_ms;
  CHECK(n.wait(until));
  CHECK(written == 5);
  CHECK(now_ns() < until);
  poster.join();
}

TEST_CASE("note: two threads hand a turn to and fro without losing it") {
  note ping, pong;
  const long turns = test::scale(20'000);
  long value = 0, wrong = 0;
  std::thread other([&] {
    for (long i = 0; i < turns; ++i) {
      ping.wait();
      ++value;
      pong.post();
    }
  });
  for (long i = 0; i < turns; ++i) {
    ping.post();
    pong.wait();
    wrong += value != i + 1;
  }
  other.join();
  CHECK(wrong == 0);
}

TEST_CASE("note: a token that comes at the deadline is either taken or still there") {
  struct round {
    note n;
    long written = 0;  // plain: ThreadSanitizer tells whether who takes the token is ordered behind the poster
    bool taken = false;
  };
  const long rounds = test::scale(5000);
  std::vector<round> all(static_cast<std::size_t>(rounds));
  test::random chance(3);
  long wrong = 0;
  test::race(
      rounds,
      [&](long i) {
        round& r = all[static_cast<std::size_t>(i)];
        r.taken = r.n.wait(now_ns() + chance.below(3000));
        if (r.taken) wrong += r.written != 1;
      },
      [&](long i) {
        for (long spins = i % 64; spins > 0; --spins) weft::arch::pause();
        round& r = all[static_cast<std::size_t>(i)];
        r.written = 1;
        r.n.post();
      });
  CHECK(wrong == 0);
  CHECK(std::ranges::count_if(all, [](const round& r) { return r.taken == r.n.posted(); }) == 0);
}

TEST_CASE("note: who sleeps elsewhere is woken there or finds the token, and each sees what the other wrote") {
  struct round {
    note n;
    long place = 0, written = 0;  // plain, as above
    bool begun = false, taken = false, woken_there = false;
  };
  const long rounds = test::scale(50'000);
  std::vector<round> all(static_cast<std::size_t>(rounds));
  long wrong_place = 0, wrong = 0;
  test::race(
      rounds,
      [&](long i) {
        round& r = all[static_cast<std::size_t>(i)];
        r.place = 1;
        r.begun = r.n.begin_elsewhere();
        for (long spins = i % 64; spins > 0; --spins) weft::arch::pause();
        r.taken = !r.begun || r.n.end_elsewhere();
        if (r.taken) wrong += r.written != 1;
      },
      [&](long i) {
        round& r = all[static_cast<std::size_t>(i)];
        for (long spins = i % 32; spins > 0; --spins) weft::arch::pause();
        r.written = 1;
        r.woken_there = r.n.post();
        if (r.woken_there) wrong_place += r.place != 1;
      });
  CHECK(wrong == 0);
  CHECK(wrong_place == 0);
  CHECK(std::ranges::count_if(all, [](const round& r) { return r.taken == r.n.posted(); }) == 0);
  CHECK(std::ranges::count_if(all, [](const round& r) { return r.woken_there && !r.begun; }) == 0);
}

TEST_CASE("futex: a wait returns at once when the word holds something else, and leaves errno alone") {
  atomic<std::uint32_t> word{1};
  errno = 4711;
  futex_wait(word, 0, k_forever);
  CHECK(errno == 4711);
  futex_wait(word, 1, now_ns());
  CHECK(errno == 4711);
  futex_wake(word);
  CHECK(errno == 4711);
}
