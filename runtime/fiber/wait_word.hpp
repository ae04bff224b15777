// One word decides who ends a wait.
//
//   idle → preparing → armed → woken(why) → (next wait) preparing …            generation counts the waits
//
// 1. Only the waiter moves idle|woken → preparing, and preparing → idle to abandon a wait that nobody has claimed yet.
// 2. preparing → armed is the committer's, after the waiter's registers are saved; for it that is the last touch of the
// fiber.
// 3. Any waker moves preparing|armed → woken, by CAS, under the lock of the structure in which it found the waiter, or
// where the waiter does not go on before the waker says so (sync/task_core.cpp), and only for the generation
//    that it found there. Whoever wins has the right and the duty to make the fiber ready; losers touch nothing.
// 4. A claim from `armed` is made ready by the claimer. A claim from `preparing` needs two to have happened: the
// transfer to be over
//    (`transferred`) and the registers to be saved (`saved`). Whoever sets the second bit makes the fiber ready. So
//    nobody runs a fiber whose registers are not saved, and nobody runs one whose value is still under way.
// 5. The mode says who may cancel: a wait is quiet, open to the end of the runtime only, or cancelable.
//
// The control block that holds the word is type-stable, so a late waker may always look: another generation tells it to
// go away.
#pragma once
#include <cstdint>

#include "runtime/base/atomic.hpp"

namespace weft::runtime {

enum class wait_mode : std::uint64_t { quiet = 0, at_end = 1, cancelable = 2 };

enum class claim_result : std::uint8_t { lost, from_preparing, from_armed };

class wait_word {
 public:
  // Why a wait ended: the waker's choice of 24 bits, for a select the index of its case.
  static constexpr std::uint32_t k_canceled = 0xff'ffff;
  static constexpr std::uint32_t k_timeout = 0xff'fffe;

  // The waiter: begins a wait and gives its generation. seq_cst store: the load of the cancel flag that follows must
  // not be passed (the other half is in cancel: store the flag, then look at this word).
  std::uint32_t prepare(wait_mode mode) noexcept {
    const std::uint64_t generation = (word_.load(relaxed) >> k_generation_shift) + 1;
    word_.store(generation << k_generation_shift | static_cast<std::uint64_t>(mode) << k_mode_shift | k_preparing,
                seq_cst);
    return static_cast<std::uint32_t>(generation);
  }

  // The waiter: true if nobody had claimed the wait, and now nobody will.
  bool abandon() noexcept {
    std::uint64_t seen = word_.load(relaxed);
    return (seen & k_state) == k_preparing &&
           word_.compare_exchange_strong(seen, (seen & ~k_state) | k_idle, acq_rel, acquire);
  }

  // The committer: true if the fiber now waits; false if it has been woken and this call makes it the committer's to
  // run. When neither, the waker will.
  enum class commit_result : std::uint8_t { waits, runs, left_to_waker };
  commit_result commit() noexcept {
    std::uint64_t seen = word_.load(relaxed);
    if ((seen & k_state) == k_preparing &&
        word_.compare_exchange_strong(seen, (seen & ~k_state) | k_armed, acq_rel, acquire))
      return commit_result::waits;
    return (word_.fetch_or(k_saved, acq_rel) & k_transferred) != 0 ? commit_result::runs : commit_result::left_to_waker;
  }

  // A waker: claims the wait of this generation. `whole`: there is no transfer to follow.
  claim_result claim(std::uint32_t generation, std::uint32_t why, bool whole,
                     wait_mode least = wait_mode::quiet) noexcept {
    std::uint64_t seen = word_.load(acquire);
    for (;;) {
      const std::uint64_t state = seen & k_state;
      if (seen >> k_generation_shift != generation || (state != k_preparing && state != k_armed))
        return claim_result::lost;
      if (mode_of(seen) < least) return claim_result::lost;
      const std::uint64_t woken =
          (seen & ~(k_state | k_why)) | k_woken | std::uint64_t{why} << k_why_shift | (whole ? k_transferred : 0);
      if (word_.compare_exchange_weak(seen, woken, acq_rel, acquire))
        return state == k_armed ? claim_result::from_armed : claim_result::from_preparing;
    }
  }
  // The same for whichever wait is current: how cancel does it. seq_cst load, after the seq_cst store of the flag.
  claim_result claim_current(std::uint32_t why, wait_mode least) noexcept {
    return claim(static_cast<std::uint32_t>(word_.load(seq_cst) >> k_generation_shift), why, true, least);
  }

  // The claimer, once the transfer is over: true if the fiber is now its to make ready.
  bool transferred(claim_result from) noexcept {
    return from == claim_result::from_armed || (word_.fetch_or(k_transferred, acq_rel) & k_saved) != 0;
  }

  // The waiter: woken, and nothing more to come. True lets it skip the switch.
  bool woken_already() const noexcept {
    const std::uint64_t seen = word_.load(acquire);
    return (seen & k_state) == k_woken && (seen & k_transferred) != 0;
  }
  std::uint32_t why() const noexcept {
    return static_cast<std::uint32_t>((word_.load(acquire) & k_why) >> k_why_shift);
  }
  // Whether the wait of this generation is still to be ended.
  bool pending(std::uint32_t generation) const noexcept {
    const std::uint64_t seen = word_.load(relaxed);
    return seen >> k_generation_shift == generation && ((seen & k_state) == k_preparing || (seen & k_state) == k_armed);
  }
  bool waits() const noexcept { return (word_.load(relaxed) & k_state) == k_armed; }
  // Of a fiber that waits, saved and all, what tells this wait from any other; 0: it does not.
  std::uint64_t this_wait() const noexcept {
    const std::uint64_t seen = word_.load(acquire);  // pairs with commit
    return (seen & k_state) == k_armed ? seen : 0;
  }

 private:
  static constexpr std::uint64_t k_state = 3, k_idle = 0, k_preparing = 1, k_armed = 2, k_woken = 3;
  static constexpr int k_mode_shift = 2, k_why_shift = 8, k_generation_shift = 32;
  static constexpr std::uint64_t k_transferred = 1 << 4, k_saved = 1 << 5,
                                 k_why = std::uint64_t{0xff'ffff} << k_why_shift;
  static wait_mode mode_of(std::uint64_t word) noexcept { return static_cast<wait_mode>(word >> k_mode_shift & 3); }

  atomic<std::uint64_t> word_{0};
};

}  // namespace weft::runtime
