// The trampoline's two exits: what a callee owes its caller is as it was, whichever f takes.
#include "arch/interruptible.hpp"

#include <atomic>
#include <cstdint>
#include <thread>

#include "tests/support/support.hpp"

using namespace weft;

// registers.S
extern "C" unsigned long weft_test_keep(int (*f)(void*), void* argument);
extern "C" void weft_test_overwrite(void* counter);

namespace {

struct round {
  std::atomic<std::uint64_t> turns{0};
  static_assert(sizeof(std::atomic<std::uint64_t>) == 8);
};

// 1: it was left.
int leave(void* p) {
  return interruptible([p] { weft_test_overwrite(&static_cast<round*>(p)->turns); }).has_value() ? 0 : 1;
}

}  // namespace

TEST_CASE("interruptible: registers and control words are as they were after f was left" * doctest::skip(WEFT_TSAN)) {
  test::expect seen;
  const long rounds = test::scale(10'000);
  run(test::on(2), [&] {
    std::atomic<long> lost{0}, left{0};
    chan<context> work;
    chan<void> done;
    // Bound to each round's context in turn; the other fiber cancels as soon as it sees the loop turn.
    std::atomic<round*> current{nullptr};
    auto t = spawn([&] {
      for (context ctx : work) {
        round here;
        const bind_scope bound(ctx);
        current = &here;
        const unsigned long differences = weft_test_keep(&leave, &here);
        if (differences == 0)
          ++left;
        else
          ++lost;
        current = nullptr;
        const shield_scope closed;
        done.send();
      }
    });
    for (long i = 0; i < rounds; ++i) {
      auto [ctx, cancel] = with_cancel(background());
      work.send(ctx);
      round* r = nullptr;
      while ((r = current) == nullptr || r->turns == 0) this_fiber::yield();
      cancel();
      done.recv();
    }
    work.close();
    t.join();
    seen.equal(lost.load(), 0L);
    seen.equal(left.load(), rounds);
  });
  seen.report();
}

TEST_CASE("interruptible: registers are as they were after f has returned") {
  const auto returns = [](void*) { return interruptible([] {}).has_value() ? 1 : 0; };
  test::expect seen;
  run(test::on(1), [&] { seen.equal(weft_test_keep(returns, nullptr), 0ul); });
  seen.report();
}

TEST_CASE("interruptible: the trampoline gives its stack pointer, and an exception passes it") {
  struct calls {
    std::uintptr_t frame = 0;
    bool inside = false;
  } c;
  const auto throws = [](void* p) {
    auto& to = *static_cast<calls*>(p);
    char here = 0;
    to.inside = reinterpret_cast<std::uintptr_t>(&here) < to.frame;
    throw 7;
  };
  int caught = 0;
  try {
    weft_interruptible(throws, &c, &c.frame);
  } catch (int i) {
    caught = i;
  }
  CHECK(caught == 7);
  CHECK(c.inside);
  CHECK(weft_interruptible([](void*) {}, nullptr, &c.frame) == 0);
}
