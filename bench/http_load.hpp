// The load that http puts on servers: wrk, a program of its own, and what it says.
#pragma once

#include <functional>

namespace bench {

struct load_result {
  double rate = 0;          // answers per second
  double p50 = 0, p99 = 0;  // ns
  long answers = 0;         // read whole
  long bad_statuses = 0;    // of them
  long errors = 0;          // connections that failed, and waits that took too long
};

bool has_wrk();

// On this process's CPU. `halfway`, when given, is called in the middle. Throws std::runtime_error when wrk fails.
load_result run_wrk(int port, int connections, int seconds, const std::function<void()>& halfway = {});

}  // namespace bench
