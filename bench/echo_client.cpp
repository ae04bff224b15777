#include "bench/echo_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace bench {
namespace {

std::int64_t now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

[[noreturn]] void failed(const char* what) { throw std::system_error(errno, std::system_category(), what); }

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) failed("connect");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

echo_client::echo_client(int port, const echo_load& load)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      request_(load.size, 'x'),
      answer_(load.size),
      all_(static_cast<std::size_t>(load.connections)) {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    all_[i].fd = connect_to(port);
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.u64 = i;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, all_[i].fd, &e) != 0) failed("epoll_ctl");
  }
}

echo_client::~echo_client() {
  for (const connection& c : all_) ::close(c.fd);
  ::close(epoll_);
}

void echo_client::ask(connection& c) {
  c.received = 0;
  c.sent_at = now();
  if (::send(c.fd, request_.data(), request_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request_.size()))
    failed("send");
}

bool echo_client::answered(connection& c) {
  const ssize_t n = ::recv(c.fd, answer_.data(), answer_.size() - c.received, 0);
  if (n <= 0) throw std::runtime_error("an echo server closed a connection");
  c.received += static_cast<std::size_t>(n);
  return c.received == request_.size();
}

echo_samples echo_client::run(std::chrono::milliseconds time) {
  echo_samples samples;
  const std::int64_t begun = now();
  const std::int64_t until = begun + std::chrono::nanoseconds(time).count();
  for (connection& c : all_) ask(c);
  std::array<epoll_event, 128> events;
  for (std::size_t under_way = all_.size(); under_way > 0;) {
    const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < n; ++i) {
      connection& c = all_[events[static_cast<std::size_t>(i)].data.u64];
      if (!answered(c)) continue;
      const std::int64_t at = now();
      samples.round_trips.push_back(at - c.sent_at);
      if (at < until)
        ask(c);
      else
        --under_way;
    }
  }
  samples.time = std::chrono::nanoseconds(now() - begun);
  return samples;
}

}  // namespace bench
