// Runs a piece of code in a forked child and says how that ended: for code whose point is to crash.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

namespace test {

struct child_end {
  int status;
  std::string errors;  // what it wrote to standard error

  bool exited(int code) const { return WIFEXITED(status) && WEXITSTATUS(status) == code; }
  bool killed_by(int signal) const { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }
  bool said(const std::string& text) const { return errors.find(text) != std::string::npos; }
};

// The child exits with what `body` returns. No core file, no handlers of the test framework.
template <class F>
child_end in_child(F body) {
  int ends[2];
  if (::pipe(ends) != 0) return {-1, "pipe failed"};
  std::fflush(nullptr);  // else the child may write it again
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGTRAP}) std::signal(signal, SIG_DFL);
    ::dup2(ends[1], 2);
    ::close(ends[0]);
    ::_exit(body());
  }
  ::close(ends[1]);
  child_end end{-1, {}};
  char text[512];
  for (ssize_t n = 0; (n = ::read(ends[0], text, sizeof text)) > 0;)
    end.errors.append(text, static_cast<std::size_t>(n));
  ::close(ends[0]);
  ::waitpid(child, &end.status, 0);
  return end;
}

}  // namespace test
