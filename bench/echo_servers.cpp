#include "bench/echo_servers.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
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

}  // namespace

int serve_echo(std::string_view which) {
  if (which == "weft")
    serve_weft();
  else
    serve_epoll();
  return 0;
}

}  // namespace bench
