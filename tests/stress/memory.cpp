// A million fibers at once.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

#if WEFT_ASAN
// This program measures resident memory; AddressSanitizer would keep a quarter of a gigabyte of freed blocks.
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=2"; }
#endif

TEST_CASE("memory: a million fibers parked on a channel, at most 4,700 bytes each, all unwound, memory given back") {
  if (test::scale_factor() < 1) {
    MESSAGE("only at full scale");
    return;
  }
  constexpr long k_fibers = 1'000'000;
  constexpr std::size_t k_each = 4'700, k_left = 1'024;
  expect e;
  test::tally unwound;
  std::size_t parked = 0;
  run([&] {
    const std::size_t before = test::resident_bytes();
    const chan<int> c;
    auto scope = with_cancel(background());
    wait_group all;
    for (long i = 0; i < k_fibers; ++i)
      all.go(scope, [&] {
        const test::counted here(unwound);
        c.recv();
      });
    while (unwound.made < k_fibers) this_fiber::yield();
    test::settle();
    parked = test::resident_bytes() - before;
    e(parked <= k_each * k_fibers);
    scope.cancel();
    all.wait();
    e.equal(unwound.destroyed, k_fibers);
    std::size_t left = parked;
    const auto patience = clock::now() + 30s;
    while ((left = test::resident_bytes() - before) > k_left * k_fibers && clock::now() < patience)
      this_fiber::sleep_for(20ms);
    e(left <= k_left * k_fibers);
  });
  MESSAGE("bytes for each parked fiber: ", parked / k_fibers);
  e.report();
}

TEST_CASE("memory: fibers that come and go reuse what they had") {
  test::for_processors({1, 4}, [](unsigned processors) {
    const long rounds = test::scale(300);
    expect e;
    run(test::on(processors), [&] {
      const auto round = [] {
        wait_group all;
        for (int i = 0; i < 1000; ++i) all.go([] { this_fiber::yield(); });
        all.wait();
      };
      for (long i = 0; i < rounds / 10 + 1; ++i) round();
      const std::size_t before = test::resident_bytes();
      for (long i = 0; i < rounds; ++i) round();
      e(test::resident_bytes() < before + (32 << 20));
    });
    e.report();
  });
}
