// Watches a soak from a thread of its own that needs nothing of weft's to go on: it would notice if no fiber did.
//
// It reports, keeps the time, takes SIGINT and SIGTERM, and ends the process with status 1 when something did not hold
// or nothing goes on.
#pragma once
#include <atomic>
#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "memory.hpp"
#include "options.hpp"
#include "workloads.hpp"

namespace soak {

class supervisor {
 public:
  // SIGINT and SIGTERM are blocked in this thread and those that it will make.
  supervisor(const options& o, std::deque<workload>& all);
  // Its thread ends.
  ~supervisor();
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;

  // The workloads shall end after the round that they are in.
  const std::atomic<bool>& over() const { return over_; }
  // What is waited for now, once all have ended. A text that lives.
  void at(const char* what) { phase_ = what; }
  // After the run. What it says, and true if nothing was wrong with it.
  memory_record::verdict memory();

 private:
  using clock = std::chrono::steady_clock;
  using duration = clock::duration;
  struct progress {
    long rounds = 0;
    duration since{};
  };

  void watch();
  void look_for_failures();
  void look_for_progress();
  void report() const;
  [[noreturn]] void fail(const std::string& what) const;

  const options& options_;
  std::deque<workload>& all_;
  // How long it has run. Between two looks no more than a second is counted: what passes while the process is stopped
  // is no want of progress.
  duration now_{};
  std::vector<progress> seen_;
  duration phase_since_{};
  const char* phase_seen_ = nullptr;
  std::atomic<const char*> phase_{nullptr};
  std::atomic<bool> over_{false}, ended_{false};
  memory_record memory_;
  std::thread thread_;
};

}  // namespace soak
