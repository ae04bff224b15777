// Races two or more parties over many rounds, each party on a thread of its own and each round on objects of its own.
//
// The parties keep together without waiting for one another: who is ahead gives the others a little time, then goes on.
// So a round costs a bounded time on a busy machine too, and no happens-before edge hides a missing one from
// ThreadSanitizer. The results are looked at after race() has returned.
//
// Two things make them truly meet. Each party keeps to a CPU, or a busy machine may run them all on one. And before it
// acts it tarries for a few random nanoseconds: who sees the others arrive has waited for a cache line, about as long
// as a round takes, and they would always go in the same order.
#pragma once
#include <sched.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <thread>
#include <tuple>
#include <utility>

#include "arch/arch.hpp"
#include "runtime/base/random.hpp"

namespace test {

// Binds this thread to the n-th of the CPUs it may use, counted round.
inline void keep_to_cpu(std::size_t n) {
  cpu_set_t usable, one;
  if (::sched_getaffinity(0, sizeof usable, &usable) != 0) return;
  n %= static_cast<std::size_t>(CPU_COUNT(&usable));
  std::size_t cpu = 0;
  while (!CPU_ISSET(cpu, &usable) || n-- > 0) ++cpu;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  ::sched_setaffinity(0, sizeof one, &one);
}

inline void tarry(weft::runtime::random_source& chance) {
  for (std::uint32_t turns = chance.below(256); turns > 0; --turns) asm volatile("");
}

template <class... Party>
void race(long rounds, Party... party) {
  constexpr std::size_t k_parties = sizeof...(Party);
  constexpr int k_patience = 30;
  struct alignas(64) place {
    std::atomic<long> round{-1};
  };
  std::array<place, k_parties> places;

  const auto go = [&](std::size_t self, auto& act) {
    keep_to_cpu(self);
    weft::runtime::random_source chance(self);
    for (long i = 0; i < rounds; ++i) {
      places[self].round.store(i, std::memory_order_relaxed);
      for (const place& other : places)
        for (int spins = 0; spins < k_patience && other.round.load(std::memory_order_relaxed) < i; ++spins)
          weft::arch::pause();
      tarry(chance);
      act(i);
    }
  };
  std::tuple<Party...> acts(std::move(party)...);
  std::array<std::thread, k_parties> threads;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((threads[I] = std::thread([&] { go(I, std::get<I>(acts)); })), ...);
  }(std::index_sequence_for<Party...>{});
  for (std::thread& t : threads) t.join();
}

}  // namespace test
