#include "bench/support/server_process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <stdexcept>
#include <system_error>

namespace bench {
namespace {

[[noreturn]] void failed(const char* what) { throw std::system_error(errno, std::system_category(), what); }

int read_port(int from) {
  std::string line;
  for (char c = 0; c != '\n';) {
    if (::read(from, &c, 1) != 1) throw std::runtime_error("a server ended before it served");
    line += c;
  }
  return std::stoi(line);
}

}  // namespace

server_process::server_process(const std::vector<std::string>& command, int cpu) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) failed("pipe");
  std::vector<char*> words;
  for (const std::string& w : command) words.push_back(const_cast<char*>(w.c_str()));
  words.push_back(nullptr);
  process_ = ::fork();
  if (process_ < 0) failed("fork");
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(pipe[1], STDOUT_FILENO);
    cpu_set_t one;
    CPU_ZERO(&one);
    if (cpu >= 0) {
      CPU_SET(static_cast<std::size_t>(cpu), &one);
      ::sched_setaffinity(0, sizeof one, &one);
    }
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  ::close(pipe[1]);
  output_ = pipe[0];
  port_ = read_port(output_);
}

server_process::~server_process() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  ::close(output_);
}

std::chrono::nanoseconds server_process::cpu_time() const {
  clockid_t clock{};
  timespec t{};
  if (::clock_getcpuclockid(process_, &clock) != 0 || ::clock_gettime(clock, &t) != 0) failed("clock_gettime");
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

server_process::end server_process::stop() {
  const auto begun = std::chrono::steady_clock::now();
  end e{};
  ::kill(process_, SIGTERM);
  if (::waitpid(process_, &e.status, 0) < 0) failed("waitpid");
  process_ = -1;
  e.took = std::chrono::steady_clock::now() - begun;
  std::array<char, 256> some;
  for (ssize_t n; (n = ::read(output_, some.data(), some.size())) > 0;)
    e.said.append(some.data(), static_cast<std::size_t>(n));
  return e;
}

two_places find_two_places() {
  cpu_set_t usable;
  if (::sched_getaffinity(0, sizeof usable, &usable) != 0) return {};
  std::vector<int> all;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &usable)) all.push_back(cpu);
  return all.size() < 2 ? two_places{} : two_places{all[0], all[1]};
}

void keep_to(int cpu) {
  if (cpu < 0) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(cpu), &one);
  ::sched_setaffinity(0, sizeof one, &one);
}

}  // namespace bench
