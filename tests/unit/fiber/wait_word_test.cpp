// The word that decides who ends a wait: each move by itself.
#include "runtime/fiber/wait_word.hpp"

#include <array>
#include <cstdint>

#include "tests/support/support.hpp"

using namespace weft::runtime;
using commit_result = wait_word::commit_result;

namespace {

constexpr std::array k_modes{wait_mode::quiet, wait_mode::at_end, wait_mode::cancelable};

// A word in the state `armed`, with its generation.
struct armed_word : wait_word {
  std::uint32_t generation = prepare(wait_mode::quiet);
  armed_word() { REQUIRE(commit() == commit_result::waits); }
};

}  // namespace

TEST_CASE("wait_word: nothing waits before the first prepare, and nothing can be claimed") {
  wait_word word;
  CHECK_FALSE(word.waits());
  CHECK_FALSE(word.woken_already());
  CHECK_FALSE(word.pending(0));
  CHECK(word.claim(0, 1, true) == claim_result::lost);
  CHECK(word.claim_current(1, wait_mode::quiet) == claim_result::lost);
  CHECK_FALSE(word.abandon());
}

TEST_CASE("wait_word: every wait has a generation of its own, and only that one is pending") {
  wait_word word;
  std::uint32_t before = 0;
  for (int i = 0; i < 100; ++i) {
    const std::uint32_t generation = word.prepare(k_modes[static_cast<std::size_t>(i % 3)]);
    CHECK(generation == before + 1);
    CHECK(word.pending(generation));
    CHECK_FALSE(word.pending(before));
    CHECK_FALSE(word.pending(generation + 1));
    before = generation;
  }
}

TEST_CASE("wait_word: it waits from the commit to the claim") {
  wait_word word;
  const std::uint32_t generation = word.prepare(wait_mode::quiet);
  CHECK_FALSE(word.waits());
  CHECK(word.commit() == commit_result::waits);
  CHECK(word.waits());
  CHECK(word.pending(generation));
  CHECK_FALSE(word.woken_already());
  CHECK(word.claim(generation, 7, true) == claim_result::from_armed);
  CHECK_FALSE(word.waits());
  CHECK_FALSE(word.pending(generation));
  CHECK(word.woken_already());
}

TEST_CASE("wait_word: an abandoned wait can no longer be claimed") {
  wait_word word;
  const std::uint32_t generation = word.prepare(wait_mode::cancelable);
  CHECK(word.abandon());
  CHECK_FALSE(word.pending(generation));
  CHECK(word.claim(generation, 1, true) == claim_result::lost);
  CHECK(word.claim_current(1, wait_mode::quiet) == claim_result::lost);
  CHECK_FALSE(word.abandon());
  CHECK(word.prepare(wait_mode::quiet) == generation + 1);
}

TEST_CASE("wait_word: a claimed wait cannot be abandoned, an armed one neither") {
  wait_word claimed;
  const std::uint32_t generation = claimed.prepare(wait_mode::quiet);
  REQUIRE(claimed.claim(generation, 5, true) == claim_result::from_preparing);
  CHECK_FALSE(claimed.abandon());
  CHECK(claimed.why() == 5);

  armed_word armed;
  CHECK_FALSE(armed.abandon());
  CHECK(armed.waits());
}

TEST_CASE("wait_word: a claim of another generation is lost and changes nothing") {
  for (const bool armed : {false, true}) {
    wait_word word;
    word.prepare(wait_mode::quiet);
    word.prepare(wait_mode::quiet);
    const std::uint32_t generation = word.prepare(wait_mode::quiet);
    if (armed) REQUIRE(word.commit() == commit_result::waits);
    for (const std::uint32_t other : {0u, generation - 2, generation - 1, generation + 1, UINT32_MAX})
      CHECK(word.claim(other, 1, true) == claim_result::lost);
    CHECK(word.pending(generation));
    CHECK(word.waits() == armed);
  }
}

TEST_CASE("wait_word: the second claim is lost, and the first one's reason stays") {
  for (const bool armed : {false, true}) {
    wait_word word;
    const std::uint32_t generation = word.prepare(wait_mode::cancelable);
    if (armed) REQUIRE(word.commit() == commit_result::waits);
    CHECK(word.claim(generation, 11, true) == (armed ? claim_result::from_armed : claim_result::from_preparing));
    CHECK(word.claim(generation, 22, true) == claim_result::lost);
    CHECK(word.claim_current(33, wait_mode::quiet) == claim_result::lost);
    CHECK(word.why() == 11);
  }
}

TEST_CASE("wait_word: a canceller claims only a wait that is open to it") {
  for (const wait_mode mode : k_modes)
    for (const wait_mode least : k_modes)
      for (const bool armed : {false, true})
        for (const bool current : {false, true}) {
          CAPTURE(static_cast<int>(mode));
          CAPTURE(static_cast<int>(least));
          wait_word word;
          const std::uint32_t generation = word.prepare(mode);
          if (armed) REQUIRE(word.commit() == commit_result::waits);
          const claim_result got = current ? word.claim_current(wait_word::k_canceled, least)
                                           : word.claim(generation, wait_word::k_canceled, true, least);
          const claim_result won = armed ? claim_result::from_armed : claim_result::from_preparing;
          CHECK(got == (mode >= least ? won : claim_result::lost));
          CHECK(word.pending(generation) == (mode < least));
        }
}

TEST_CASE("wait_word: all 24 bits of the reason come through and touch nothing else") {
  for (const std::uint32_t why : {0u, 1u, 0x12'3456u, 0x80'0000u, wait_word::k_timeout, wait_word::k_canceled}) {
    armed_word word;
    CHECK(word.claim(word.generation, why, true) == claim_result::from_armed);
    CHECK(word.why() == why);
    CHECK(word.prepare(wait_mode::quiet) == word.generation + 1);
  }
}

TEST_CASE("wait_word: a waiter claimed before its switch may skip it only when the transfer is over") {
  wait_word word;
  const std::uint32_t generation = word.prepare(wait_mode::quiet);
  const claim_result c = word.claim(generation, 3, false);
  REQUIRE(c == claim_result::from_preparing);
  CHECK_FALSE(word.woken_already());
  CHECK_FALSE(word.transferred(c));  // the registers are not saved: nobody's to make ready yet
  CHECK(word.woken_already());
}

TEST_CASE("wait_word: claimed while preparing, whoever comes second of transfer and commit has the duty") {
  SUBCASE("the commit is second") {
    wait_word word;
    const claim_result c = word.claim(word.prepare(wait_mode::quiet), 1, false);
    CHECK_FALSE(word.transferred(c));
    CHECK(word.commit() == commit_result::runs);
  }
  SUBCASE("the transfer is second") {
    wait_word word;
    const claim_result c = word.claim(word.prepare(wait_mode::quiet), 1, false);
    CHECK(word.commit() == commit_result::left_to_waker);
    CHECK(word.transferred(c));
  }
  SUBCASE("there is no transfer") {
    wait_word word;
    CHECK(word.claim(word.prepare(wait_mode::quiet), 1, true) == claim_result::from_preparing);
    CHECK(word.commit() == commit_result::runs);
  }
}

TEST_CASE("wait_word: claimed while armed, the claimer has the duty") {
  armed_word word;
  const claim_result c = word.claim(word.generation, 1, false);
  CHECK(c == claim_result::from_armed);
  CHECK(word.transferred(c));
}

TEST_CASE("wait_word: nothing of one wait is left in the next") {
  wait_word word;
  REQUIRE(word.claim(word.prepare(wait_mode::cancelable), wait_word::k_canceled, true) != claim_result::lost);
  REQUIRE(word.commit() == commit_result::runs);  // transferred and saved

  const std::uint32_t generation = word.prepare(wait_mode::quiet);
  CHECK(word.why() == 0);
  CHECK(word.claim_current(1, wait_mode::at_end) == claim_result::lost);
  const claim_result c = word.claim(generation, 9, false);
  CHECK(c == claim_result::from_preparing);
  CHECK_FALSE(word.woken_already());
  CHECK(word.commit() == commit_result::left_to_waker);
  CHECK(word.transferred(c));
  CHECK(word.why() == 9);
}
