// Runs another program and takes what it writes: how the rivals are built and measured.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace bench {

struct outcome {
  bool ok = false;
  std::string output;   // standard output
  std::string problem;  // why not ok: an exit status, a signal, a time-out, or that it could not be started
};

struct command {
  std::vector<std::string> words;        // the program's path first
  std::vector<std::string> environment;  // NAME=value, over what this process has
  std::string directory;                 // empty: this process's own
  std::chrono::seconds limit{120};       // killed after that
};

outcome run_program(const command& what);

}  // namespace bench
