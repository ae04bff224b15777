// What the command line says.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace soak {

struct options {
  std::chrono::seconds time{60};
  std::chrono::seconds every{10};
  std::chrono::seconds patience{300};
  unsigned processors = 2;
  std::uint64_t seed = 1;
  std::string only;
};

// Ends the process with status 0 after --help, with 2 and a word on what is wrong.
options parse(int argc, char** argv);

}  // namespace soak
