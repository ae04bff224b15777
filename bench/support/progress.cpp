// The line is rewritten in place: step, time since the start, what runs now.
#include "bench/support/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace bench {

progress::progress(int steps) : terminal_(::isatty(STDERR_FILENO) == 1), steps_(steps) {}

progress::~progress() {
  if (terminal_) fmt::print(stderr, "\r\x1b[K");
}

void progress::step(std::string_view what) {
  ++begun_;
  if (!terminal_) return;
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start_).count();
  fmt::print(stderr, "\r\x1b[K[{}/{}] {:>3} s  {}", begun_, steps_, seconds, what);
  std::fflush(stderr);
}

}  // namespace bench
