// One round of the main job: park many fibers, cancel their context, take down when each of them ran.
//
// All fibers of a round share what they wait on (one channel, one mutex, one context), as a pool of workers does: the
// case in which cancelling is hardest, since every waiter has to leave the same queue.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace bench {

enum class wait_kind { done, recv, sleep, select, mutex };

struct cancel_workload {
  wait_kind wait = wait_kind::recv;
  int fibers = 1;
  unsigned processors = 1;
  bool bound = false;  // the fibers are bound to the context: `canceled` is thrown in each, and they unwind
};

struct cancel_round {
  std::int64_t cancel_ns;                      // how long cancel() itself took
  bool at_rest;                                // all fibers were seen parked before (see support/quiet.hpp)
  std::span<const std::int64_t> latencies_ns;  // from the call of cancel() until the fiber ran, in order of spawning
};

constexpr bool has_bound_form(wait_kind wait) {
  return wait == wait_kind::recv || wait == wait_kind::sleep || wait == wait_kind::select;
}

// Starts a runtime and gives every round to `take`, after `warm_up` rounds that are not counted. Throws if a fiber's
// wait ended otherwise than by the cancellation.
void run_cancel_rounds(const cancel_workload& load, int warm_up, int rounds,
                       const std::function<void(const cancel_round&)>& take);

}  // namespace bench
