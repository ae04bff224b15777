// What the tests of preemption in a process of their own share: a child that says what did not hold, fibers for whom
// preemption is due all the time, handlers of the user's.
#pragma once
#include <signal.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <csignal>
#include <source_location>
#include <string>

#include "child.hpp"
#include "tests/support/preemption.hpp"
#include "tests/support/support.hpp"

namespace test {

// In the child: says on standard error which line did not hold, and counts.
class verdict {
 public:
  void operator()(bool holds, std::source_location at = std::source_location::current()) {
    if (holds) return;
    ++wrong_;
    tell("line " + std::to_string(at.line()) + " does not hold\n");
  }
  int status() const { return wrong_ == 0 ? 0 : 1; }

 private:
  std::atomic<int> wrong_{0};
};

// A fiber on each processor that wakes every 100 us and so wants it: preemption is due all the time.
class sleepers {
 public:
  explicit sleepers(unsigned count) {
    for (unsigned i = 0; i < count; ++i)
      all_.go([this] {
        for (; !stop_; ++turns_) weft::this_fiber::sleep_for(std::chrono::microseconds(100));
      });
  }
  ~sleepers() {
    stop_ = true;
    weft::shield([this] { all_.wait(); });
  }
  sleepers(const sleepers&) = delete;
  sleepers& operator=(const sleepers&) = delete;
  long turns() const { return turns_; }
  void await_turn() const {  // however short the work was
    while (turns_ == 0) weft::this_fiber::yield();
  }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<long> turns_{0};
  weft::wait_group all_;
};

// body(verdict&, processors), as main in a child of its own, on 1 and on 2 processors; before it, outside the runtime,
// `first` if there is one.
template <class F>
void survives(F&& body, void (*first)() = nullptr) {
  for_processors({1, 2}, [&](unsigned processors) {
    const outcome seen = in_child([&] {
      if (first != nullptr) first();
      verdict v;
      weft::run(on(processors), [&] { body(v, processors); });
      return v.status();
    });
    CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
    CHECK_MESSAGE(seen.status == 0, "signal ", seen.signal, "; ", seen.errors);
  });
}

inline void handle(int signal, void (*f)(int), int flags) {
  struct sigaction action{};
  action.sa_handler = f;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

inline void every_millisecond(int which) {
  const itimerval interval{{0, 1000}, {0, 1000}};
  setitimer(which, &interval, nullptr);
}

inline std::atomic<long> heard[NSIG];
inline void count_signal(int signal) { heard[signal].fetch_add(1, std::memory_order_relaxed); }
inline void count_slowly(int signal) {
  spin(100'000);  // long enough that preemption comes due in here
  count_signal(signal);
}

}  // namespace test
