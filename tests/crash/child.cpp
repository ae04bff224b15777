// fork, collect, wait; see child.hpp.
#include "child.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <exception>
#include <system_error>

namespace test {
namespace {

constexpr std::chrono::seconds k_patience{30};

[[noreturn]] void be_child(const std::function<int()>& body, int errors) {
  for (const int s : {SIGABRT, SIGFPE, SIGILL, SIGSEGV, SIGTERM, SIGINT, SIGQUIT}) std::signal(s, SIG_DFL);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(errors, STDERR_FILENO);
  int status = 99;
  try {
    status = body();
  } catch (const std::exception& error) {
    tell(std::string("came out: ") + error.what() + "\n");
  } catch (...) {
    tell("came out: something\n");
  }
  _exit(status);
}

// Reads until the child has closed its end. True: it did so in time.
bool collect(int from, pid_t child, outcome& seen, const std::string& ready, int signal) {
  const auto end = std::chrono::steady_clock::now() + k_patience;
  bool sent = signal == 0;
  std::array<char, 4096> buffer;
  while (std::chrono::steady_clock::now() < end) {
    pollfd descriptor{from, POLLIN, 0};
    if (poll(&descriptor, 1, 1000) <= 0) continue;
    const ssize_t n = read(from, buffer.data(), buffer.size());
    if (n <= 0) return true;
    seen.errors.append(buffer.data(), static_cast<std::size_t>(n));
    if (!sent && seen.says(ready)) {
      kill(child, signal);
      sent = true;
    }
  }
  return false;
}

}  // namespace

void tell(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t n = write(STDERR_FILENO, rest.data(), rest.size());
    if (n <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

outcome in_child(const std::function<int()>& body) { return in_child(body, {}, 0); }

outcome in_child(const std::function<int()>& body, const std::string& ready, int signal) {
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    close(ends[0]);
    be_child(body, ends[1]);
  }
  close(ends[1]);
  outcome seen;
  seen.timed_out = !collect(ends[0], child, seen, ready, signal);
  close(ends[0]);
  if (seen.timed_out) kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) seen.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) seen.signal = WTERMSIG(status);
  return seen;
}

}  // namespace test
