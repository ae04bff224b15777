// Runs a function in a child process and gives how that ended and what it wrote to stderr.
//
// The child is forked, not executed anew: the crash tests' own process never runs weft, so the child starts as clean as
// a new program would, and this works under an emulator too.
#pragma once
#include <chrono>
#include <functional>
#include <string>

namespace test {

struct outcome {
  int status = -1;  // exit status, -1 when a signal ended it
  int signal = 0;   // that signal
  bool timed_out = false;
  std::string errors;  // stderr
  bool says(const std::string& text) const { return errors.find(text) != std::string::npos; }
  bool died() const { return !timed_out && (signal != 0 || status > 0); }
};

// Status of a child whose body returned is what it returned; 99 when an exception came out of it.
outcome in_child(const std::function<int()>& body);

// The same, with `signal` sent as soon as the child has written `ready` to stderr.
outcome in_child(const std::function<int()>& body, const std::string& ready, int signal);

// Straight to stderr, from any fiber.
void tell(const std::string& text);

}  // namespace test
