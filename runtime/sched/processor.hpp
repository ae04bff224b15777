// P: the right to run fibers, and what belongs to it. There are as many as run_options says; a worker thread needs one
// to run a fiber.
//
// Everything here is its owner's (the worker that holds it) but what is marked as shared.
#pragma once
#include <cstdint>

#include "arch/arch.hpp"
#include "runtime/base/random.hpp"
#include "runtime/base/rate_limit.hpp"
#include "runtime/event/timers.hpp"
#include "runtime/fiber/fiber_pool.hpp"
#include "runtime/queue/run_queue.hpp"
#include "runtime/stack/stack_pool.hpp"

namespace weft::runtime {

struct worker;

struct alignas(k_cache_line) processor {
  processor(unsigned i, std::size_t stack_size) : index(i), random(arch::cycle_clock() + i), stacks(stack_size) {}

  const unsigned index;
  // What the current fiber made ready last: runs next and inherits the slice, so a pair that wakes one another keeps
  // its caches. Thieves take it in their last pass only. Shared.
  atomic<fiber*> runnext{nullptr};
  run_queue<fiber> ring;  // shared with thieves
  // Counts the turns; the monitor samples it. Written by the owner. Shared.
  atomic<std::uint32_t> tick{0};
  // Bits, settled when the next turn begins. Shared.
  //   k_give_way: the running fiber should give way, or look at the timers, at its next point.
  //   k_watched: it has computed for a while; a signal may interrupt it (preempt.hpp).
  //   k_long_turn: for longer than its slice. Counted in scheduler::long_turns.
  //   k_disturbed: chaos wants it interrupted though nobody waits.
  static constexpr std::uint32_t k_give_way = 1, k_watched = 2, k_long_turn = 4, k_disturbed = 8;
  atomic<std::uint32_t> attention{0};
  // Of a watched or long turn. Written by the owner, and by the monitor when it begins to watch. Shared.
  atomic<std::int64_t> turn_began{0}, slice_end{0}, least_until{0};
  // By signal; counted by the owner. Shared. preempt.hpp, invariant 6.
  static constexpr std::int64_t k_interruption_interval_ns = 400'000;
  static constexpr int k_interruptions_at_once = 16;
  rate_limit interruptions{k_interruption_interval_ns, k_interruptions_at_once};
  atomic<std::int64_t> armed_until{k_forever};  // when the owner's timer goes off
  // Since when signals have found no safe point, 0 when the last one did. Shared.
  atomic<std::int64_t> unsafe_since{0};
  // runnext was filled with nobody woken, because its filler tends to park soon; the monitor wakes somebody if it does
  // not. Shared.
  atomic<bool> wake_owed{false};
  // How often lately a filler did park soon. Shared: the monitor sets it back.
  atomic<int> park_habit{0};
  static constexpr int k_habit = 2, k_habit_most = 8;
  runtime::timers timers;  // shared
  random_source random;
  stack_cache stacks;
  fiber_cache free_fibers{fibers()};
  timer_cache free_timers{timer_records()};
  std::uint64_t next_id = 0, end_of_ids = 0;
  // Written by the owner, summed by others; a fiber counts where it began and where it ended. Shared.
  atomic<std::uint64_t> started{0}, finished{0};
  static constexpr std::uint32_t k_global_interval = 61;
  std::uint32_t turns_to_global = k_global_interval;
  processor* next_idle = nullptr;
  // What the monitor saw last.
  std::uint32_t seen_tick = 0;
  std::int64_t seen_since = 0;
  const worker* seen_owner = nullptr;
  std::int64_t seen_cpu = -1, seen_cpu_at = 0;  // -1: not sampled
  atomic<worker*> owner{nullptr};               // shared; null while idle
};

}  // namespace weft::runtime
