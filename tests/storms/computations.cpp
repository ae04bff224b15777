// Fibers that hold their threads: by computing, and by calls that block.
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <vector>

#include "tests/storms/storms.hpp"
#include "tests/support/live_registers.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/preemption.hpp"

using namespace weft;

namespace test::storm {
namespace {

// For some milliseconds: errno, the thread, an exception caught, all registers. A function of its own, since errno's
// address may not be kept over the caller's sleep.
[[gnu::noinline]] bool keeps_its_own(int fiber, long seed) {
  const auto& sets = test::register_sets();
  const auto& set = sets[static_cast<std::size_t>(seed) % sets.size()];
  const int thread = ::gettid();
  try {
    throw fiber;
  } catch (const int& thrown) {
    errno = fiber;
    if (!test::registers_survive(set, static_cast<std::uint64_t>(seed), 3'000'000)) return false;
    if (errno != fiber || thrown != fiber || !std::current_exception()) return false;
  }
  return ::gettid() == thread;
}

}  // namespace

void preempted_computations(expect& e, int fibers, long rounds, std::uint64_t seed) {
  wait_group all;
  for (int fiber = 0; fiber < fibers; ++fiber)
    all.go([&, fiber] {
      for (long i = 0; i < rounds; ++i) {
        if (!keeps_its_own(fiber, static_cast<long>(seed) + fiber * rounds + i + 1)) e(false);
        this_fiber::sleep_for(std::chrono::microseconds(50 * (fiber % 7)));  // so that others are held up
      }
    });
  all.wait();
  e(true);
}

void interrupted_loops(expect& e, long count, std::uint64_t seed) {
  std::atomic<long> values{0}, left{0};
  test::random chance(seed);
  for (long i = 0; i < count; ++i) {
    auto [ctx, cancel] = with_cancel(background());
    const unsigned turns = chance.below(20'000);
    auto t = spawn(ctx, [&, turns] {
      const result<unsigned> got = interruptible([turns] {
        unsigned sum = 0;
        for (unsigned k = 0; k < turns; ++k) {
          sum += k;
          asm volatile("" : "+r"(sum));
        }
        return sum;
      });
      if (!got)
        ++left;
      else if (*got == (turns == 0 ? 0 : turns * (turns - 1) / 2))
        ++values;
    });
    if (chance.below(2) == 0) this_fiber::yield();
    spin(chance.below(20'000));
    cancel();
    t.join();
  }
  e.equal(values + left, count);
}

void undeclared_reads(expect& e, std::size_t pairs, long rounds) {
  std::vector<pipe_pair> to(pairs), fro(pairs);
  wait_group all;
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    all.go([&, pair] {
      for (long i = 0; i < rounds; ++i) {
        to[pair].write(static_cast<char>(i));
        if (fro[pair].read() != static_cast<char>(i + 1)) e(false);
      }
    });
    all.go([&, pair] {
      for (long i = 0; i < rounds; ++i) fro[pair].write(static_cast<char>(to[pair].read() + 1));
    });
  }
  all.wait();
  e(true);
}

}  // namespace test::storm
