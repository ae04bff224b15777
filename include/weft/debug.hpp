// Looking at the fibers of a running program.
#pragma once
#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "weft/fiber.hpp"

namespace weft::debug {

struct fiber_info {
  fiber_id id;
  std::string name;
  std::string state;        // "unstarted", "runnable", "running", "waiting"
  std::string wait_reason;  // "channel receive", "select", "sleep" …; empty unless waiting
  clock::duration waited;   // since when, to about 10 ms; zero unless waiting
  std::string spawned_at;   // file:line of the go or spawn
};

// A snapshot; others run on while it is taken, each line is true at its moment. Any thread; takes no lock that user
// code can hold.
WEFT_API std::vector<fiber_info> fibers();
// The same as text, one fiber a line. SIGQUIT writes it to standard error and ends the process with status 2, as in Go.
WEFT_API void dump(std::ostream&);

}  // namespace weft::debug
