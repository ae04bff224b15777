// Something outside the runtime that happens, now and then: a thread of its own, on another CPU where there is one.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>

namespace bench {

std::int64_t monotonic_now();  // nanoseconds, the same in all processes

// Calls event(stamp), waits until answered() holds, lets so much time pass, and again; until it is destroyed.
class event_source {
 public:
  event_source(std::chrono::nanoseconds pause, std::function<void(std::int64_t stamp)> event,
               std::function<bool()> answered);
  ~event_source();
  event_source(const event_source&) = delete;
  event_source& operator=(const event_source&) = delete;

  std::chrono::nanoseconds cpu_time() const;  // the thread's own

 private:
  std::atomic<bool> over_{false};
  std::thread thread_;
};

// A pair of pipes, for a program of ours or this one: events come out of one as their stamps of 8 bytes, a byte into
// the other is the answer. Neither end is closed on exec.
class event_pipes {
 public:
  event_pipes();
  ~event_pipes();
  event_pipes(const event_pipes&) = delete;
  event_pipes& operator=(const event_pipes&) = delete;

  int events() const { return events_[0]; }  // does not block
  int answers() const { return answers_[1]; }
  void send(std::int64_t stamp) const;
  bool answered() const;

 private:
  int events_[2];
  int answers_[2];
};

}  // namespace bench
