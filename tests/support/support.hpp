// What the tests share: how many iterations, on how many processors, and how a fiber reports what it saw.
//
// doctest keeps its state in thread-locals, and a fiber runs on any worker. So a fiber never asserts: it tells an
// `expect`, and the test's own thread, which is never a worker, reports after run() has returned.
#pragma once
#include <doctest/doctest.h>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <mutex>
#include <source_location>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <weft/weft.hpp>

namespace test {

// No signals under ThreadSanitizer: they would come late, with a frame that is not true.
inline constexpr bool k_no_signals = WEFT_TSAN != 0;
// Interrupts though nobody waits, also in the kernel.
inline const bool k_chaos = WEFT_CHAOS != 0 || std::getenv("WEFT_CHAOS") != nullptr;

// The environment's WEFT_TEST_SCALE, 1 without it.
double scale_factor();

// `iterations` times WEFT_TEST_SCALE, at least 1.
long scale(long iterations);

// Bytes of this process in memory now.
std::size_t resident_bytes();

// Has the allocator give back to the system what it keeps of freed memory. False where it cannot be told.
bool give_back_freed();

// Bytes that are allocated and not freed, but for what threads keep to allocate from again. Where the allocator does
// not say, resident_bytes().
std::size_t allocated_bytes();

// How many threads this process has now, and how many descriptors are open.
std::size_t count_threads();
long open_descriptors();

// After a run: returns once no worker, monitor or spawner of weft's is listed. The kernel wakes who joins a thread a
// moment before it takes the thread off the list, an emulator longer before; one left behind is waited for, for ever.
void await_no_weft_threads();

// Sleeps until it is thrown at, and keeps what it was told.
struct told_why {
  std::error_code code;
  std::string why;
  void sleep();
};

// Gives every other ready fiber its turn, many times over. On one processor all that can park has parked after it;
// on more it only makes that likely, and a test must hold either way.
void settle();

// Collects from any fiber or thread; reported once, from the test's thread.
class expect {
 public:
  void operator()(bool holds, std::source_location at = std::source_location::current());

  template <class A, class B>
  void equal(const A& actual, const B& wanted, std::source_location at = std::source_location::current()) {
    const bool same = actual == wanted;
    count_.fetch_add(1, std::memory_order_relaxed);
    if (same) return;
    std::ostringstream text;
    if constexpr (requires { text << actual << wanted; })
      text << "got " << actual << ", wanted " << wanted;
    else
      text << "the values differ";
    fail(at, text.str());
  }

  template <class E, class F>
  void throws(F&& f, std::source_location at = std::source_location::current()) {
    bool caught = false;
    try {
      std::forward<F>(f)();
    } catch (const E&) {
      caught = true;
    }
    (*this)(caught, at);
  }

  // Fails the test for each thing that did not hold, and when nothing was looked at.
  void report();

  // The first thing that did not hold, with its place; empty while all did. Any thread, at any time.
  std::string first_failure();

 private:
  struct failure {
    std::source_location at;
    std::string text;
  };
  void fail(std::source_location at, std::string text);

  std::mutex mutex_;
  std::vector<failure> failures_;
  std::atomic<long> count_{0};
};

inline weft::runtime_options on(unsigned processors) {
  weft::runtime_options options;
  options.processors = processors;
  return options;
}

template <class F>
void for_processors(std::initializer_list<unsigned> counts, F&& f) {
  for (const unsigned processors : counts) {
    INFO("processors: ", processors);
    f(processors);
  }
}

// Runs `body(expect&)` as the main fiber on each number of processors.
template <class F>
void in_fiber(std::initializer_list<unsigned> counts, F&& body) {
  for_processors(counts, [&](unsigned processors) {
    expect seen;
    weft::run(on(processors), [&] { body(seen); });
    seen.report();
  });
}

template <class F>
void in_fiber(F&& body) {
  in_fiber({1, 4}, std::forward<F>(body));
}

// Counts how many of it live, and how many were ever made or destroyed.
struct tally {
  std::atomic<long> made{0};
  std::atomic<long> destroyed{0};
  long alive() const { return made - destroyed; }
};

// Counts itself in a tally for as long as it owns that duty; a moved-from one counts no more.
class counted {
 public:
  explicit counted(tally& where, int value = 0) : where_(&where), value_(value) { ++where_->made; }
  counted(counted&& other) noexcept : where_(std::exchange(other.where_, nullptr)), value_(other.value_) {}
  counted& operator=(counted&& other) noexcept {
    if (this == &other) return *this;
    leave();
    where_ = std::exchange(other.where_, nullptr);
    value_ = other.value_;
    return *this;
  }
  ~counted() { leave(); }
  int value() const { return value_; }
  bool owned() const { return where_ != nullptr; }

 private:
  void leave() {
    if (where_) ++where_->destroyed;
  }
  tally* where_;
  int value_;
};

// A std::thread that a fiber may join: the fiber parks until the thread is about to end.
class foreign {
 public:
  template <class F>
  explicit foreign(F f) {
    ended_.add(1);
    thread_ = std::thread([this, f = std::move(f)]() mutable {
      f();
      ended_.done();
    });
  }
  ~foreign() { join(); }
  void join() {
    if (!thread_.joinable()) return;
    ended_.wait();
    thread_.join();
  }

 private:
  weft::wait_group ended_;
  std::thread thread_;
};

// A small generator, one per fiber.
class random {
 public:
  explicit random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  unsigned below(unsigned bound) { return static_cast<unsigned>(next() % bound); }

 private:
  std::uint64_t state_;
};

}  // namespace test
