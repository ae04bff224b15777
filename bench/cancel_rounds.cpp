// The measuring fiber spawns the others, sees them parked, cancels, and waits for the last. A fiber's first act after
// its wait is to store the time in its own slot; everything else is accounted after the round.
#include "bench/cancel_rounds.hpp"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>
#include <weft/weft.hpp>

#include "bench/support/quiet.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using weft::clock;

// What the fibers of a round touch. It outlives all rounds, so a fiber may end after its round was taken down.
struct shared_state {
  weft::context ctx;
  weft::chan<int> first;
  weft::chan<int> second;
  weft::mutex taken;
  weft::wait_group ran;
  std::vector<clock::time_point> stamps;
  std::atomic<int> arrived{0};
  std::atomic<int> wrong{0};  // waits that ended otherwise than by the cancellation
};

std::error_code wait_for_cancel(shared_state& s, wait_kind wait) {
  switch (wait) {
    case wait_kind::done:
      return s.ctx.done().recv() ? std::error_code{} : s.ctx.err();
    case wait_kind::recv:
      return weft::error_of(s.first.recv(s.ctx));
    case wait_kind::sleep:
      return weft::error_of(weft::sleep_for(s.ctx, 1h));
    case wait_kind::select:
      return weft::select(weft::recv(s.first), weft::recv(s.second), s.ctx.done()) == 2 ? s.ctx.err()
                                                                                        : std::error_code{};
    case wait_kind::mutex:
      return weft::error_of(s.taken.lock(s.ctx));
  }
  return {};
}

void wait_bound(shared_state& s, wait_kind wait) {
  if (wait == wait_kind::recv) {
    (void)s.first.recv();
  } else if (wait == wait_kind::sleep) {
    weft::this_fiber::sleep_for(1h);
  } else {
    (void)weft::select(weft::recv(s.first), weft::recv(s.second));
  }
}

struct stamp_at_exit {
  shared_state& s;
  std::size_t slot;

  ~stamp_at_exit() {
    s.stamps[slot] = clock::now();
    s.ran.done();
  }
};

void spawn_fibers(shared_state& s, const cancel_workload& load) {
  s.ran.add(load.fibers);
  for (std::size_t slot = 0; slot < s.stamps.size(); ++slot) {
    if (load.bound) {
      weft::go(s.ctx, [&s, slot, wait = load.wait] {
        const stamp_at_exit stamp{s, slot};
        s.arrived.fetch_add(1, std::memory_order_relaxed);
        wait_bound(s, wait);
        s.wrong.fetch_add(1, std::memory_order_relaxed);
      });
    } else {
      weft::go([&s, slot, wait = load.wait] {
        s.arrived.fetch_add(1, std::memory_order_relaxed);
        const std::error_code ended_by = wait_for_cancel(s, wait);
        s.stamps[slot] = clock::now();
        if (ended_by != weft::errc::canceled) s.wrong.fetch_add(1, std::memory_order_relaxed);
        s.ran.done();
      });
    }
  }
}

// All have counted themselves; then those that were moved aside between count and wait run on while this fiber yields;
// then no other worker runs anything.
bool see_all_parked(const shared_state& s, int fibers) {
  while (s.arrived.load(std::memory_order_relaxed) != fibers) weft::this_fiber::yield();
  for (int i = 0; i < 3; ++i) weft::this_fiber::yield();
  return others_asleep(20ms);
}

cancel_round run_round(shared_state& s, const cancel_workload& load, std::vector<std::int64_t>& latencies) {
  s.arrived = 0;
  auto cancelable = weft::with_cancel(weft::background());
  s.ctx = cancelable.ctx;
  spawn_fibers(s, load);
  const bool at_rest = see_all_parked(s, load.fibers);

  const clock::time_point begin = clock::now();
  cancelable.cancel();
  const clock::time_point returned = clock::now();
  s.ran.wait();

  for (std::size_t slot = 0; slot < latencies.size(); ++slot) latencies[slot] = (s.stamps[slot] - begin).count();
  return {(returned - begin).count(), at_rest, latencies};
}

}  // namespace

void run_cancel_rounds(const cancel_workload& load, int warm_up, int rounds,
                       const std::function<void(const cancel_round&)>& take) {
  shared_state s;
  s.stamps.resize(static_cast<std::size_t>(load.fibers));
  std::vector<std::int64_t> latencies(s.stamps.size());
  weft::run({.processors = load.processors}, [&] {
    s.taken.lock();
    for (int i = 0; i < warm_up + rounds; ++i) {
      const cancel_round round = run_round(s, load, latencies);
      if (i >= warm_up) take(round);
    }
    s.taken.unlock();
    s.ctx = {};
  });
  if (s.wrong != 0) throw std::runtime_error(std::to_string(s.wrong) + " waits did not report their cancellation");
}

}  // namespace bench
