// Fibers that never call the runtime, and others that want their processor.
//
// Nothing here measures time. A loop goes on until what it waits for has been counted; if preemption fails that never
// comes, and the test's bound (bounded.sh) ends it with a dump of the fibers.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <utility>
#include <weft/weft.hpp>

#include "runtime/sched/preempt.hpp"

namespace test {

// So many turns of a loop without a call.
inline void spin(long turns) {
  for (long i = 0; i < turns; ++i) asm volatile("" ::: "memory");
}

// Fibers each in a loop without a call, from construction to stop().
class hogs {
 public:
  explicit hogs(unsigned count, const weft::spawn_options& options = {}) : turns_(count) {
    all_.add(static_cast<int>(count));
    for (std::atomic<std::uint64_t>& turns : turns_)
      weft::go(options, [this, &turns] {
        for (std::uint64_t n = 1; !stop_.load(std::memory_order_relaxed); ++n)
          turns.store(n, std::memory_order_relaxed);
        all_.done();
      });
  }
  ~hogs() { stop(); }
  hogs(const hogs&) = delete;
  hogs& operator=(const hogs&) = delete;

  std::uint64_t turns(unsigned hog) const { return turns_[hog].load(std::memory_order_relaxed); }

  // The caller sleeps until every hog has gone on by at least so many turns.
  void await_turns(std::uint64_t more = 1) const {
    for (const std::atomic<std::uint64_t>& turns : turns_)
      for (const std::uint64_t wanted = turns.load() + more; turns.load() < wanted;)
        weft::this_fiber::sleep_for(std::chrono::milliseconds(1));
  }

  void stop() {
    stop_ = true;
    weft::shield([this] { all_.wait(); });
  }

 private:
  std::atomic<bool> stop_{false};
  std::deque<std::atomic<std::uint64_t>> turns_;
  weft::wait_group all_;
};

// Runs body(stop) in a fiber on each of `processors` (all there are), while the caller sleeps `times` times for 100 us;
// then sets stop and waits for them. As each processor is taken, whenever the caller wakes some body has been
// interrupted or has lost its processor.
template <class F>
void while_preempted(unsigned processors, long times, const weft::spawn_options& options, const F& body) {
  std::atomic<bool> stop{false};
  std::atomic<unsigned> begun{0};
  weft::wait_group all;
  all.add(static_cast<int>(processors));
  for (unsigned i = 0; i < processors; ++i)
    weft::go(options, [&] {
      ++begun;
      body(std::as_const(stop));
      all.done();
    });
  while (begun < processors) weft::this_fiber::sleep_for(std::chrono::microseconds(100));
  for (long i = 0; i < times; ++i) weft::this_fiber::sleep_for(std::chrono::microseconds(100));
  stop = true;
  all.wait();
}

template <class F>
void while_preempted(unsigned processors, long times, const F& body) {
  while_preempted(processors, times, {}, body);
}

}  // namespace test
