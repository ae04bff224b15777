// Each workload is a run of its own. Hogs are loops without a call, each counting its turns in a cache line of its own;
// a measurement begins when all of them have begun.
#include "bench/preemption_workloads.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <weft/net.hpp>
#include <weft/weft.hpp>

namespace bench {
namespace {

using namespace std::chrono_literals;
using weft::clock;

constexpr int k_warm_up = 5, k_least = 5;

double nanoseconds(clock::duration d) { return static_cast<double>(d.count()); }

void spin(long turns) {
  for (long i = 0; i < turns; ++i) asm volatile("" ::: "memory");
}

class hogs {
 public:
  explicit hogs(int count) : slots_(static_cast<std::size_t>(count)) {
    all_.add(count);
    for (slot& s : slots_)
      weft::go([this, &s] {
        for (std::uint64_t n = 1; !stop_.load(std::memory_order_relaxed); ++n)
          s.turns.store(n, std::memory_order_relaxed);
        all_.done();
      });
    for (slot& s : slots_)
      while (s.turns == 0) weft::this_fiber::sleep_for(1ms);
  }
  ~hogs() {
    stop_ = true;
    all_.wait();
  }

  std::vector<double> turns() const {
    std::vector<double> all;
    for (const slot& s : slots_) all.push_back(static_cast<double>(s.turns.load(std::memory_order_relaxed)));
    return all;
  }

 private:
  struct alignas(64) slot {
    std::atomic<std::uint64_t> turns{0};
  };
  std::atomic<bool> stop_{false};
  std::vector<slot> slots_;
  weft::wait_group all_;
};

// Calls measure(), which gives one sample, as often as the budget has it.
template <class F>
std::vector<double> samples_of(const preemption_budget& budget, F&& measure) {
  std::vector<double> all;
  const auto end = clock::now() + budget.time;
  for (int i = 0; i < k_warm_up + budget.samples; ++i) {
    const double sample = measure();
    if (i >= k_warm_up) all.push_back(sample);
    if (i >= k_warm_up + k_least && clock::now() >= end) break;
  }
  return all;
}

std::vector<double> sleep_lateness(const preemption_workload& load, const preemption_budget& budget) {
  const hogs busy(load.hogs);
  return samples_of(budget, [] {
    const auto due = clock::now() + 1ms;
    weft::this_fiber::sleep_until(due);
    return nanoseconds(clock::now() - due);
  });
}

std::vector<double> deadline_lateness(const preemption_workload& load, const preemption_budget& budget) {
  const hogs busy(load.hogs);
  return samples_of(budget, [] {
    const auto due = clock::now() + 1ms;
    const auto scope = weft::with_deadline(weft::background(), due);
    scope.ctx.done().recv();
    return nanoseconds(clock::now() - due);
  });
}

// A connection's read for which nothing comes.
std::vector<double> read_lateness(const preemption_workload& load, const preemption_budget& budget) {
  const auto l = weft::unwrap(weft::net::listen("tcp", "127.0.0.1:0"));
  const auto silent = weft::unwrap(weft::net::dial("tcp", l.local_address().to_string()));
  const auto reads = weft::unwrap(l.accept());
  const hogs busy(load.hogs);
  return samples_of(budget, [&] {
    const auto due = clock::now() + 1ms;
    reads.set_read_deadline(due);
    char c = 0;
    if (weft::error_of(reads.read({&c, 1})) != weft::errc::deadline_exceeded)
      throw std::runtime_error("it was not silent");
    return nanoseconds(clock::now() - due);
  });
}

// From a foreign thread's cancel until wait(ctx) has returned. It cancels 1 ms after it was asked to: by then the fiber
// waits, and hogs have its processor if there are any.
template <class Wait>
std::vector<double> foreign_cancel(const preemption_workload& load, const preemption_budget& budget, Wait&& wait) {
  std::atomic<weft::cancel_func*> wanted{nullptr};
  std::atomic<bool> over{false};
  std::atomic<clock::time_point> begun{};
  std::thread foreign([&] {
    for (;;) {
      wanted.wait(nullptr);
      const weft::cancel_func* cancel = wanted.exchange(nullptr);
      if (over) return;
      std::this_thread::sleep_for(1ms);
      begun = clock::now();
      (*cancel)();
    }
  });
  const hogs busy(load.hogs);
  auto all = samples_of(budget, [&] {
    auto scope = weft::with_cancel(weft::background());
    wanted = &scope.cancel;
    wanted.notify_one();
    wait(scope.ctx);
    return nanoseconds(clock::now() - begun.load());
  });
  over = true;
  weft::cancel_func none;
  wanted = &none;
  wanted.notify_one();
  weft::blocking([&] { foreign.join(); });
  return all;
}

void wait_parked(const weft::context& ctx) { ctx.done().recv(); }

void wait_in_a_loop(const weft::context& ctx) {
  const weft::bind_scope bound(ctx);
  if (weft::interruptible([] {
        for (;;) spin(1000);
      }))
    throw std::logic_error("an endless loop has ended");
}

// A foreign thread asks every 5 ms and waits for the answer; at the beginning and the end it counts the hogs' turns.
preemption_samples share(const preemption_workload& load, const preemption_budget& budget) {
  const hogs busy(load.hogs);
  const weft::chan<int> to, fro;
  const weft::chan<void> asked;
  std::vector<double> answers, before, after;
  std::thread foreign([&] {
    before = busy.turns();
    for (const auto end = clock::now() + budget.time; clock::now() < end;) {
      std::this_thread::sleep_for(5ms);
      const auto begin = clock::now();
      to.send(1);
      fro.recv();
      answers.push_back(nanoseconds(clock::now() - begin));
    }
    after = busy.turns();
    to.close();
    asked.close();
  });
  for (const int v : to) fro.send(v);
  asked.recv();
  weft::blocking([&] { foreign.join(); });
  for (std::size_t i = 0; i < after.size(); ++i) after[i] -= before[i];
  const double fair = std::accumulate(after.begin(), after.end(), 0.0) / static_cast<double>(after.size());
  for (double& turns : after) turns /= fair;
  return {{"shares", after}, {"answer", answers}};
}

// What an interrupted loop loses: the time it stood still while a sleeper, which wakes every 200 us and at once sleeps
// again, had its processor. The loop looks at the clock every few hundred nanoseconds; what that takes is taken off.
std::vector<double> preemption_cost(const preemption_budget& budget, bool migratable) {
  constexpr long k_stretch = 1000;
  std::vector<double> all;
  std::atomic<bool> stop{false};
  std::atomic<long> woken{0};
  weft::wait_group loop;
  loop.add(1);
  weft::go({.migratable = migratable}, [&] {
    double usual = 1e9;
    all = samples_of(budget, [&] {
      auto last = clock::now();
      for (long seen = woken;;) {
        spin(k_stretch);
        const auto now = clock::now();
        const double gap = nanoseconds(now - last);
        last = now;
        if (woken == seen) {
          usual = std::min(usual, gap);
          continue;
        }
        if (usual < 1e9) return gap - usual;
        seen = woken;
      }
    });
    stop = true;
    loop.done();
  });
  for (; !stop; ++woken) weft::this_fiber::sleep_for(200us);
  loop.wait();
  return all;
}

std::vector<double> locked_hand_off(const preemption_budget& budget) {
  constexpr int k_rounds = 500;
  const weft::chan<int> to, fro;
  weft::go([=] {
    for (const int v : to) fro.send(v);
  });
  weft::lock_os_thread();
  auto all = samples_of(budget, [&] {
    const auto begin = clock::now();
    for (int i = 0; i < k_rounds; ++i) {
      to.send(i);
      fro.recv();
    }
    return nanoseconds(clock::now() - begin) / (2 * k_rounds);  // there and back
  });
  weft::unlock_os_thread();
  to.close();
  return all;
}

// One call of f, as a mean over many.
template <class F>
std::vector<double> each_call(const preemption_budget& budget, F&& f) {
  constexpr int k_calls = 2000;
  return samples_of(budget, [&] {
    const auto begin = clock::now();
    for (int i = 0; i < k_calls; ++i) f();
    return nanoseconds(clock::now() - begin) / k_calls;
  });
}

preemption_samples blocking_cost(const preemption_budget& budget) {
  return {{"blocking", each_call(budget, [] { weft::blocking([] {
                                                asm volatile("" ::: "memory");
                                              }); })},
          {"getppid", each_call(budget, [] { weft::blocking(::getppid); })},
          {"getppid_raw", each_call(budget, [] { ::getppid(); })}};
}

// From just before a fiber's read on an empty pipe until the other fiber, ready all the time, runs on the only
// processor.
std::vector<double> detection(const preemption_budget& budget) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  const weft::chan<void> ready{1};
  clock::time_point ran{};
  weft::wait_group writer;
  writer.go([&, ready] {
    while (ready.recv()) {
      ran = clock::now();
      if (::write(ends[1], "x", 1) != 1) return;
    }
  });
  auto all = samples_of(budget, [&] {
    char c = 0;
    ready.send();
    const auto begin = clock::now();
    if (::read(ends[0], &c, 1) != 1) throw std::runtime_error("the pipe is broken");
    return nanoseconds(ran - begin);
  });
  ready.close();
  writer.wait();
  ::close(ends[0]);
  ::close(ends[1]);
  return all;
}

preemption_samples ask(const preemption_workload& load, const preemption_budget& budget) {
  if (load.name == "sleep") return {{load.name, sleep_lateness(load, budget)}};
  if (load.name == "deadline") return {{load.name, deadline_lateness(load, budget)}};
  if (load.name == "read") return {{load.name, read_lateness(load, budget)}};
  if (load.name == "cancel") return {{load.name, foreign_cancel(load, budget, wait_parked)}};
  if (load.name == "interruptible") return {{load.name, foreign_cancel(load, budget, wait_in_a_loop)}};
  if (load.name == "share") return share(load, budget);
  if (load.name == "pinned") return {{load.name, preemption_cost(budget, false)}};
  if (load.name == "migratable") return {{load.name, preemption_cost(budget, true)}};
  if (load.name == "locked") return {{load.name, locked_hand_off(budget)}};
  if (load.name == "blocking") return blocking_cost(budget);
  if (load.name == "detach") return {{load.name, detection(budget)}};
  throw std::invalid_argument("no such workload: " + load.name);
}

}  // namespace

preemption_samples run_preemption(const preemption_workload& load, const preemption_budget& budget) {
  weft::runtime_options options;
  options.processors = load.processors;
  return weft::run(options, [&] { return ask(load, budget); });
}

}  // namespace bench
