// What the wait protocols owe to seq_cst: of two that store and then look at what the other stores, one sees it.
#include "runtime/base/atomic.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "tests/support/support.hpp"
#include "tests/unit/lockstep.hpp"

using namespace weft::runtime;

namespace {

struct round_of_two {
  alignas(64) atomic<int> first{0};
  alignas(64) atomic<int> second{0};
  std::array<int, 2> seen{};
};

// `act` says how the one that it is given is stored and the other one loaded.
template <class Act>
long count_blind(Act act) {
  std::vector<round_of_two> rounds(static_cast<std::size_t>(test::scale(200'000)));
  test::race(
      static_cast<long>(rounds.size()),
      [&](long i) {
        round_of_two& r = rounds[static_cast<std::size_t>(i)];
        r.seen[0] = act(r.first, r.second);
      },
      [&](long i) {
        round_of_two& r = rounds[static_cast<std::size_t>(i)];
        r.seen[1] = act(r.second, r.first);
      });
  return std::ranges::count(rounds, std::array{0, 0}, &round_of_two::seen);
}

}  // namespace

TEST_CASE("atomic: of a seq_cst store and a seq_cst load of another one, on each side, one is not blind") {
  CHECK(count_blind([](atomic<int>& mine, atomic<int>& other) {
          mine.store(1, seq_cst);
          return other.load(seq_cst);
        }) == 0);
}

TEST_CASE("atomic: assignment is a seq_cst store") {
  CHECK(count_blind([](atomic<int>& mine, atomic<int>& other) {
          mine = 1;
          return other.load(seq_cst);
        }) == 0);
}

TEST_CASE("atomic: nor one of a seq_cst read-modify-write and a load") {
  CHECK(count_blind([](atomic<int>& mine, atomic<int>& other) {
          mine.fetch_or(1, seq_cst);
          return other.load(seq_cst);
        }) == 0);
}

TEST_CASE("atomic: nor one of relaxed operations with a full fence between them") {
  CHECK(count_blind([](atomic<int>& mine, atomic<int>& other) {
          mine.store(1, relaxed);
          full_fence();
          return other.load(relaxed);
        }) == 0);
}
