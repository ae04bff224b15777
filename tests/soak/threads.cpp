// Threads: weft's own that block or are left by their fibers, others that call weft, and how many run at once.
#include <unistd.h>

#include <thread>
#include <vector>

#include "tests/support/live_registers.hpp"
#include "tests/support/pipe.hpp"
#include "workloads.hpp"

using namespace weft;
using test::expect;

namespace soak {

void declared_blocking(expect& e, const turn& t) {
  test::random chance(t.seed);
  const test::pipe_pair to, fro;
  constexpr int k_bytes = 100;
  wait_group all;
  all.go([&] {
    for (int i = 0; i < k_bytes; ++i) {
      const char c = blocking([&] { return to.read(); });
      blocking([&] { fro.write(static_cast<char>(c + 1)); });
    }
  });
  for (int i = 0; i < k_bytes; ++i) {
    if (chance.below(8) == 0) blocking([&] { ::usleep(chance.below(500)); });
    to.write(static_cast<char>(i));
    e.equal(blocking([&] { return fro.read(); }), static_cast<char>(i + 1));
  }
  all.wait();
}

void migrating_computations(expect& e, const turn& t) {
  constexpr int k_fibers = 4;
  wait_group all;
  all.add(k_fibers);
  for (std::uint64_t i = 0; i < k_fibers; ++i)
    go({.name = "migrates", .migratable = true}, [&, i] {
      test::random chance(t.seed + i);
      const auto& sets = test::register_sets();
      for (int k = 0; k < 20; ++k)
        e(test::registers_survive(sets[chance.below(static_cast<unsigned>(sets.size()))], chance.next(), 200'000));
      all.done();
    });
  all.wait();
}

void foreign_threads(expect& e, const turn& t) {
  constexpr long k_each = 300;
  constexpr int k_threads = 2;
  const chan<long> numbers{8}, echoed;
  std::atomic<long> sum{0}, ran{0}, cancelled{0};
  wait_group children, relay;
  relay.go([&] {
    for (const long n : numbers) echoed.send(n);
  });
  const auto outside = [&](std::uint64_t seed) {
    test::random chance(seed);
    for (long i = 0; i < k_each; ++i) {
      numbers.send(i);
      sum += *echoed.recv();
      children.go([&] { ++ran; });
      auto scope = with_cancel(background());
      children.go(scope, [&] {
        try {
          this_fiber::sleep_for(1h);
        } catch (const canceled&) {
          ++cancelled;
        }
      });
      if (chance.below(2) == 0) this_fiber::sleep_for(std::chrono::microseconds(chance.below(50)));
      scope.cancel();
    }
  };
  {
    std::vector<std::unique_ptr<test::foreign>> threads;
    for (std::uint64_t i = 0; i < k_threads; ++i)
      threads.push_back(std::make_unique<test::foreign>([&, i] { outside(t.seed + i); }));
  }
  numbers.close();
  relay.wait();
  children.wait();
  e.equal(sum.load(), k_threads * k_each * (k_each - 1) / 2);
  e.equal(ran.load(), k_threads * k_each);
  e.equal(cancelled.load(), k_threads * k_each);
}

void changing_processors(expect& e, const turn& t) {
  test::random chance(t.seed);
  for (int i = 0; i < 5; ++i) {
    const unsigned wanted = 1 + chance.below(t.processors);
    set_processors(wanted);
    e.equal(set_processors(0), wanted);
    this_fiber::sleep_for(std::chrono::milliseconds(chance.below(100)));
  }
  set_processors(t.processors);
}

}  // namespace soak
