#include "bench/echo_servers.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <system_error>
#include <weft/net.hpp>
#include <weft/weft.hpp>

namespace bench {
namespace {

constexpr std::size_t k_buffer = 4096;

[[noreturn]] void failed(const char* what) { throw std::system_error(errno, std::system_category(), what); }

void say_port(int port) {
  std::printf("%d\n", port);
  std::fflush(stdout);
}

void serve_weft() {
  weft::run([] {
    const auto l = weft::unwrap(weft::net::listen("tcp", "127.0.0.1:0"));
    say_port(l.local_address().port());
    for (;;)
      weft::go([c = weft::unwrap(l.accept())] {
        std::array<char, k_buffer> buffer;
        for (;;) {
          const auto n = c.read(buffer);
          if (!n || *n == 0 || !c.write(weft::const_bytes(buffer.data(), *n))) return;
        }
      });
  });
}

// The least a server can do: one thread, level-triggered, read and write for each event.
void serve_epoll() {
  const int l = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  auto* const address = reinterpret_cast<sockaddr*>(&at);
  if (::bind(l, address, size) != 0 || ::listen(l, SOMAXCONN) != 0 || ::getsockname(l, address, &size) != 0)
    failed("listen");
  say_port(ntohs(at.sin_port));
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  const auto watch = [epoll](int fd) {
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.fd = fd;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
  };
  watch(l);
  std::array<epoll_event, 128> events;
  std::array<char, k_buffer> buffer;
  for (;;) {
    const int n = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == l) {
        const int c = ::accept4(l, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        const int on = 1;
        ::setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(c);
        continue;
      }
      const ssize_t got = ::read(fd, buffer.data(), buffer.size());
      if (got <= 0 || ::write(fd, buffer.data(), static_cast<std::size_t>(got)) != got) ::close(fd);
    }
  }
}

int read_port(int from) {
  std::string line;
  for (char c = 0; c != '\n';) {
    if (::read(from, &c, 1) != 1) throw std::runtime_error("an echo server ended before it served");
    line += c;
  }
  return std::stoi(line);
}

}  // namespace

int serve_echo(std::string_view which) {
  if (which == "weft")
    serve_weft();
  else
    serve_epoll();
  return 0;
}

echo_server::echo_server(const std::vector<std::string>& command, int cpu) {
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

echo_server::~echo_server() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  ::close(output_);
}

std::chrono::nanoseconds echo_server::cpu_time() const {
  clockid_t clock{};
  timespec t{};
  if (::clock_getcpuclockid(process_, &clock) != 0 || ::clock_gettime(clock, &t) != 0) failed("clock_gettime");
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

}  // namespace bench
