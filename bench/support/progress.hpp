// One line on the terminal that says how far a long run has come; silent where stderr is not a terminal.
#pragma once

#include <chrono>
#include <string_view>

namespace bench {

class progress {
 public:
  explicit progress(int steps);
  ~progress();  // wipes the line
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  void step(std::string_view what);  // called when a step begins

 private:
  bool terminal_;
  int steps_;
  int begun_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace bench
