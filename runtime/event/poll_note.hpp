// A note whose owner may also sleep in the poller.
//
//   the sleeper                                   a poster
//   -----------                                   --------
//   note: empty -> elsewhere, or takes a token    note: exchanged for posted
//   sleeps in the poller                          it was elsewhere: interrupts the poller
//   note: exchanged for empty
//
// If the poster finds `elsewhere`, the interrupt is still to come when the sleeper falls asleep, or ends its sleep. If
// the sleeper left for another reason in between, its exchange finds the token; the interrupt, still under way, costs
// the next sleeper one round. If the poster comes before the first step, that step takes the token.
#pragma once
#include <cstdint>

#include "runtime/base/futex.hpp"
#include "runtime/event/poller.hpp"

namespace weft::runtime {

class poll_note {
 public:
  void post() noexcept {
    if (note_.post()) the_poller().interrupt();
  }
  bool wait(std::int64_t deadline = k_forever) noexcept { return note_.wait(deadline); }
  // One thread at a time. Ends also with what the poller has to tell, which goes into `ready`. True when a token was
  // taken.
  bool wait_in_poller(std::int64_t until, fiber_list& ready) noexcept {
    if (!note_.begin_elsewhere()) return true;
    the_poller().sleep(until, ready);
    return note_.end_elsewhere();
  }

 private:
  note note_;
};

}  // namespace weft::runtime
