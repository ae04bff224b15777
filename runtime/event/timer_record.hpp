// A timer that runs a callback: what context deadlines, timers and tickers are made of.
//
// state_ = generation | idle, armed or firing. arm() starts a generation; whoever moves armed → idle (stop) or armed →
// firing (the heap's owner, when due) has decided. Entries of older generations in heaps are stale. Records are
// type-stable, like fibers.
#pragma once
#include <cstdint>

#include "runtime/base/atomic.hpp"
#include "runtime/base/cache_line.hpp"
#include "runtime/base/spin_until.hpp"
#include "runtime/base/type_stable_pool.hpp"
#include "runtime/fiber/fiber_list.hpp"

namespace weft::runtime {

class alignas(k_cache_line) timer_record {  // its owner and the next record's may be on two processors
 public:
  // Runs on the scheduler's stack, in the runtime, with no lock held: must not block, allocate or run user code. Fibers
  // to make ready go into `ready`.
  using callback = void (*)(void* owner, std::uint32_t generation, std::int64_t now, fiber_list& ready);

  void set(callback fire, void* owner) noexcept {
    fire_ = fire;
    owner_ = owner;
  }

  // The owner, when it is not armed. Gives the generation for the heap entry.
  std::uint32_t arm() noexcept {
    const std::uint64_t generation = (state_.load(relaxed) >> k_shift) + 1;
    state_.store(generation << k_shift | k_armed, release);
    return static_cast<std::uint32_t>(generation);
  }
  // True if this call kept it from firing.
  bool stop() noexcept {
    std::uint64_t seen = state_.load(acquire);
    while ((seen & k_state) == k_armed)
      if (state_.compare_exchange_weak(seen, (seen & ~k_state) | k_idle, acq_rel, acquire)) return true;
    return false;
  }
  // Waits for a callback that is running; it is short and in the runtime.
  void settle() const noexcept {
    spin_until([this] { return !firing(); });
  }
  bool firing() const noexcept { return (state_.load(acquire) & k_state) == k_firing; }

  // The heap's side.
  bool current(std::uint32_t generation) const noexcept {
    const std::uint64_t seen = state_.load(relaxed);
    return static_cast<std::uint32_t>(seen >> k_shift) == generation && (seen & k_state) == k_armed;
  }
  bool begin_firing(std::uint32_t generation) noexcept {
    std::uint64_t seen = state_.load(relaxed);
    return static_cast<std::uint32_t>(seen >> k_shift) == generation && (seen & k_state) == k_armed &&
           state_.compare_exchange_strong(seen, (seen & ~k_state) | k_firing, acq_rel, relaxed);
  }
  void fire(std::uint32_t generation, std::int64_t now, fiber_list& ready) noexcept {
    fire_(owner_, generation, now, ready);
    // The callback may have armed it again. Then this firing is over already, and a record that is found firing is in
    // the next one, which another thread has begun.
    std::uint64_t seen = state_.load(relaxed);
    while (static_cast<std::uint32_t>(seen >> k_shift) == generation && (seen & k_state) == k_firing)
      if (state_.compare_exchange_weak(seen, (seen & ~k_state) | k_idle, release, relaxed)) break;
  }

  timer_record* next = nullptr;
  // The index of the processor whose heap holds the entry of the current generation, or what stands for one.
  atomic<unsigned> heap{0};

 private:
  static constexpr std::uint64_t k_state = 3, k_idle = 0, k_armed = 1, k_firing = 2;
  static constexpr int k_shift = 2;

  atomic<std::uint64_t> state_{0};
  callback fire_ = nullptr;
  void* owner_ = nullptr;
};

type_stable_pool<timer_record>& timer_records() noexcept;
using timer_cache = pool_cache<timer_record>;

}  // namespace weft::runtime
