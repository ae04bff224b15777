// The word that decides who ends a wait: waiter, senders and canceller against each other, in every interleaving of
// their steps and then on threads. However it goes, one party wins, and one makes the waiter run, after its registers
// are saved or before it leaves them, and after the transfer is over.
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/fiber/wait_word.hpp"
#include "tests/support/support.hpp"
#include "tests/unit/lockstep.hpp"

using namespace weft::runtime;
using commit_result = wait_word::commit_result;

namespace {

// One wait, played step by step.
class play {
 public:
  explicit play(wait_mode mode) : generation_(word_.prepare(mode)) {}

  // The waiter, as park has it: skips the switch if it can, else saves its registers and commits.
  void look() {
    skipped_ = word_.woken_already();
    if (skipped_) ran(true);
  }
  void commit() {
    if (skipped_) return;
    saved_ = true;
    if (word_.commit() == commit_result::runs) ran(true);
  }
  // A sender: claims, moves the value, says so.
  void claim(std::size_t sender) {
    claims_[sender] = word_.claim(generation_, static_cast<std::uint32_t>(sender), false);
    if (claims_[sender] != claim_result::lost) ++winners_;
  }
  void transfer(std::size_t sender) {
    if (claims_[sender] == claim_result::lost) return;
    transfer_over_ = true;
    if (word_.transferred(claims_[sender])) ran(saved_);
  }
  void cancel() {
    const claim_result c = word_.claim_current(wait_word::k_canceled, wait_mode::cancelable);
    if (c == claim_result::lost) return;
    ++winners_;
    transfer_over_ = true;
    if (c == claim_result::from_armed) ran(saved_);
  }

  bool right() const { return winners_ == 1 && runs_ == 1 && good_; }
  bool untouched() const { return winners_ == 0 && runs_ == 0 && word_.waits(); }

 private:
  void ran(bool registers_good) {
    ++runs_;
    good_ = registers_good && transfer_over_;
  }

  wait_word word_;
  std::uint32_t generation_;
  std::array<claim_result, 2> claims_{claim_result::lost, claim_result::lost};
  bool skipped_ = false, saved_ = false, transfer_over_ = false, good_ = false;
  int winners_ = 0, runs_ = 0;
};

enum party : int { waiter, first, second, canceller };

// Plays every order of the parties' steps; `steps` names each party as often as it has steps, ascending.
template <class Check>
int play_all(std::vector<int> steps, wait_mode mode, Check check) {
  int orders = 0;
  do {
    play p(mode);
    std::array<int, 4> at{};
    for (const int who : steps) {
      const bool begins = at[static_cast<std::size_t>(who)]++ == 0;
      if (who == waiter)
        begins ? p.look() : p.commit();
      else if (who == canceller)
        p.cancel();
      else
        begins ? p.claim(static_cast<std::size_t>(who - first)) : p.transfer(static_cast<std::size_t>(who - first));
    }
    check(p);
    ++orders;
  } while (std::ranges::next_permutation(steps).found);
  return orders;
}

}  // namespace

TEST_CASE("wait_word: in every order of waiter and sender one wins and one readies") {
  const int orders =
      play_all({waiter, waiter, first, first}, wait_mode::quiet, [](const play& p) { CHECK(p.right()); });
  CHECK(orders == 6);
}

TEST_CASE("wait_word: in every order of waiter, two senders and a canceller one wins and one readies") {
  const int orders = play_all({waiter, waiter, first, first, second, second, canceller}, wait_mode::cancelable,
                              [](const play& p) { CHECK(p.right()); });
  CHECK(orders == 630);
}

TEST_CASE("wait_word: in no order does a canceller touch a wait that is not open to it") {
  const int orders =
      play_all({waiter, waiter, canceller}, wait_mode::at_end, [](const play& p) { CHECK(p.untouched()); });
  CHECK(orders == 3);
}

TEST_CASE("wait_word: on threads one sender or canceller wins, one party readies, and it sees what the others wrote") {
  // Plain members: ThreadSanitizer tells when whoever runs the waiter is not ordered behind what it reads.
  struct round {
    wait_word word;
    std::uint32_t generation = 0;
    int registers = 0, value = 0, cause = 0;
    int committer_ran = 0, sender_ran = 0, canceller_ran = 0;
    bool sender_won = false, canceller_won = false;
  };
  const long rounds = test::scale(200'000);
  std::vector<round> all(static_cast<std::size_t>(rounds));
  for (round& r : all) r.generation = r.word.prepare(wait_mode::cancelable);
  const auto at = [&](long i) -> round& { return all[static_cast<std::size_t>(i)]; };
  const auto runs = [](const round& r) { return r.registers == 1 && r.value == (r.sender_won ? 1 : 0) ? 1 : 100; };

  test::race(
      rounds,
      [&](long i) {
        round& r = at(i);
        r.registers = 1;
        if (r.word.commit() == commit_result::runs)
          r.committer_ran =
              (r.word.why() == wait_word::k_canceled ? r.value == 0 && r.cause == 1 : r.value == 1) ? 1 : 100;
      },
      [&](long i) {
        round& r = at(i);
        const claim_result c = r.word.claim(r.generation, 1, false);
        if (c == claim_result::lost) return;
        r.sender_won = true;
        r.value = 1;
        if (r.word.transferred(c)) r.sender_ran = runs(r);
      },
      [&](long i) {
        round& r = at(i);
        r.cause = 1;
        const claim_result c = r.word.claim_current(wait_word::k_canceled, wait_mode::cancelable);
        r.canceller_won = c != claim_result::lost;
        if (c == claim_result::from_armed) r.canceller_ran = r.registers == 1 && r.value == 0 ? 1 : 100;
      });

  CHECK(std::ranges::count_if(all, [](const round& r) { return r.sender_won == r.canceller_won; }) == 0);
  CHECK(std::ranges::count_if(
            all, [](const round& r) { return r.committer_ran + r.sender_ran + r.canceller_ran != 1; }) == 0);
}

TEST_CASE("wait_word: on threads the waiter runs once: it skips the switch, or the committer or the sender runs it") {
  struct round {
    wait_word word;
    std::uint32_t generation = 0;
    int registers = 0, value = 0;
    int runs = 0;  // plain: two that ready the same fiber also race here
    bool good = false;
  };
  const long rounds = test::scale(400'000);
  std::vector<round> all(static_cast<std::size_t>(rounds));
  for (round& r : all) r.generation = r.word.prepare(wait_mode::quiet);
  const auto at = [&](long i) -> round& { return all[static_cast<std::size_t>(i)]; };
  const auto run = [](round& r) {
    ++r.runs;
    r.good = r.registers == 1 && r.value == 1;
  };
  test::race(
      rounds,
      [&](long i) {
        round& r = at(i);
        r.registers = 1;
        if (r.word.woken_already() || r.word.commit() == commit_result::runs) run(r);
      },
      [&](long i) {
        round& r = at(i);
        const claim_result c = r.word.claim(r.generation, 1, false);
        r.value = 1;
        if (r.word.transferred(c)) run(r);
      });
  CHECK(std::ranges::count_if(all, [](const round& r) { return r.runs != 1; }) == 0);
  CHECK(std::ranges::count_if(all, [](const round& r) { return !r.good; }) == 0);
}

TEST_CASE("wait_word: on threads a wait is either abandoned or claimed") {
  struct round {
    wait_word word;
    std::uint32_t generation = 0;
    bool abandoned = false, claimed = false;
  };
  const long rounds = test::scale(200'000);
  std::vector<round> all(static_cast<std::size_t>(rounds));
  for (round& r : all) r.generation = r.word.prepare(wait_mode::quiet);
  test::race(
      rounds,
      [&](long i) { all[static_cast<std::size_t>(i)].abandoned = all[static_cast<std::size_t>(i)].word.abandon(); },
      [&](long i) {
        round& r = all[static_cast<std::size_t>(i)];
        r.claimed = r.word.claim(r.generation, 1, true) != claim_result::lost;
      });
  CHECK(std::ranges::count_if(all, [](const round& r) { return r.abandoned == r.claimed; }) == 0);
}

TEST_CASE("wait_word: a waker that is late by a wait never ends the next one") {
  wait_word word;
  const long rounds = test::scale(200'000);
  std::atomic<std::uint32_t> published{word.prepare(wait_mode::quiet)};
  long ended_early = 0, woken = 0;
  std::vector<std::uint32_t> won;
  test::race(
      rounds,
      [&](long) {
        // The waiter: this wait ends by its own hand or by the waker's, and the next begins.
        if (!word.abandon()) {
          ++woken;
          if (word.why() != (published.load(std::memory_order_relaxed) & 0xffff)) ++ended_early;
        }
        published.store(word.prepare(wait_mode::quiet), std::memory_order_relaxed);
      },
      [&](long) {
        const std::uint32_t generation = published.load(std::memory_order_relaxed);
        if (word.claim(generation, generation & 0xffff, true) != claim_result::lost) won.push_back(generation);
      });
  CHECK(ended_early == 0);
  CHECK(std::ranges::adjacent_find(won) == won.end());
  // The waker may have won the wait that was begun last, which the waiter has not looked at.
  CHECK(static_cast<long>(won.size()) - woken == (word.woken_already() ? 1 : 0));
}
