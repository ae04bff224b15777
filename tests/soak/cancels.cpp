// Cancels and stops: each that is promised arrives, once.
#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "tests/support/net.hpp"
#include "tests/support/pipe.hpp"
#include "workloads.hpp"

using namespace weft;
using test::expect;

namespace soak {
namespace {

// What one can wait for in vain.
struct in_vain {
  chan<int> nobody, full{1};
  wait_group unfinished;
  semaphore empty{1};
  mutex held;
  condition_variable silent;
  net::listener lonely = test::need(net::listen("tcp", "127.0.0.1:0"));
  test::pipe_pair dry;

  in_vain() {
    full.send(1);
    unfinished.add(1);
    empty.acquire();
    held.lock();
  }
  ~in_vain() {
    held.unlock();
    unfinished.done();
  }

  static constexpr int k_kinds = 12;
  // In a fiber that is bound to `ctx`: returns when it is cancelled, if not by throwing.
  void wait(int kind, const context& ctx) {
    switch (kind) {
      case 0:
        nobody.recv();
        break;
      case 1:
        full.send(2);
        break;
      case 2:
        select(nobody, send(full, 3), after(1h));
        break;
      case 3:
        this_fiber::sleep_for(1h);
        break;
      case 4:
        unfinished.wait();
        break;
      case 5:
        empty.acquire();
        break;
      case 6:
        unwrap(held.lock(ctx));
        break;
      case 7: {
        mutex own;
        std::unique_lock lock(own);
        silent.wait(lock);
        break;
      }
      case 8:
        static_cast<void>(lonely.accept());
        break;
      case 9:
        spawn([] { this_fiber::sleep_for(1h); }).join();
        break;
      case 10:
        ctx.done().recv();
        break;
      default:
        if (WEFT_TSAN)  // no signal would end the call
          nobody.recv();
        else
          blocking([this] { dry.read(); });
    }
  }
};

// Stops about half of what `start` makes, which runs a function that it is given, at some time; `stop` says whether
// it kept it from running. When the functions are all destroyed, those that were not stopped have run, once.
template <class Start>
void started_and_stopped(expect& e, test::random& chance, const Start& start) {
  constexpr int k_functions = 200;
  test::tally functions;
  std::atomic<long> ran{0};
  long stopped = 0;
  for (int i = 0; i < k_functions; ++i) {
    const auto stop = start([&ran, held = test::counted(functions)] {
      static_cast<void>(held);
      ++ran;
    });
    if (chance.below(2) == 0) this_fiber::yield();
    if (chance.below(2) == 0) this_fiber::sleep_for(std::chrono::microseconds(chance.below(100)));
    stopped += stop();
  }
  while (functions.alive() != 0) this_fiber::yield();
  e.equal(functions.made.load(), k_functions);
  e.equal(ran + stopped, k_functions);
}

}  // namespace

void cancelled_waits(expect& e, const turn& t) {
  constexpr int k_each = 4;
  test::random chance(t.seed);
  in_vain things;
  test::tally frames;
  std::atomic<int> begun{0}, heard{0};
  wait_group all;
  {
    auto scope = with_cancel(background());
    for (int i = 0; i < k_each * in_vain::k_kinds; ++i)
      all.go(scope, [&, i, ctx = scope.ctx] {
        const test::counted frame(frames, i);
        ++begun;
        try {
          things.wait(i % in_vain::k_kinds, ctx);
          this_fiber::poll();
        } catch (const canceled&) {
          if (ctx.err() == errc::canceled) ++heard;
          throw;
        }
      });
    if (chance.below(4) != 0)
      while (begun != k_each * in_vain::k_kinds) this_fiber::yield();
    if (chance.below(2) == 0) this_fiber::sleep_for(std::chrono::microseconds(chance.below(2'000)));
    if (chance.below(2) == 0) test::foreign([&] { scope.cancel(); }).join();
  }
  all.wait();
  e.equal(heard.load(), k_each * in_vain::k_kinds);
  e.equal(frames.alive(), 0);
  e.equal(things.full.len(), 1u);
}

void functions_of_timers(expect& e, const turn& t) {
  test::random chance(t.seed);
  started_and_stopped(e, chance, [&](auto f) {
    return [timer = after_func(timespan(std::chrono::nanoseconds(chance.below(100'000))), std::move(f))] {
      const bool stopped = timer.stop();
      return stopped;
    };
  });
}

void functions_of_contexts(expect& e, const turn& t) {
  test::random chance(t.seed);
  started_and_stopped(e, chance, [&](auto f) {
    auto scope =
        std::make_unique<cancelable>(with_timeout(background(), std::chrono::microseconds(20 + chance.below(100))));
    auto stop = after_func(scope->ctx, std::move(f));
    if (chance.below(4) == 0) scope->cancel();
    return [scope = std::move(scope), stop = std::move(stop)] { return stop(); };
  });
}

}  // namespace soak
