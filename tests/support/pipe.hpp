// A pipe whose ends block the thread, as those of code that never heard of weft.
#pragma once
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace test {

class pipe_pair {
 public:
  pipe_pair() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("pipe");
  }
  ~pipe_pair() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int out() const { return ends_[0]; }
  int in() const { return ends_[1]; }
  char read() const {
    char c = 0;
    return ::read(ends_[0], &c, 1) == 1 ? c : '\0';
  }
  void write(char c) const { static_cast<void>(!::write(ends_[1], &c, 1)); }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace test
