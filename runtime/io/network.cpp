#include "runtime/io/network.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>

#include "runtime/io/calls.hpp"
#include "runtime/sched/bubble.hpp"

namespace weft::runtime {

bool network::local() const noexcept { return family == AF_UNIX; }
bool network::tcp() const noexcept { return family != AF_UNIX && type == SOCK_STREAM; }

result<network> find_network(std::string_view name) {
  refuse_in_bubble("weft::net");
  struct entry {
    std::string_view name;
    network is;
  };
  static constexpr std::array all{
      entry{"tcp", {AF_UNSPEC, SOCK_STREAM}}, entry{"tcp4", {AF_INET, SOCK_STREAM}},
      entry{"tcp6", {AF_INET6, SOCK_STREAM}}, entry{"udp", {AF_UNSPEC, SOCK_DGRAM}},
      entry{"udp4", {AF_INET, SOCK_DGRAM}},   entry{"udp6", {AF_INET6, SOCK_DGRAM}},
      entry{"unix", {AF_UNIX, SOCK_STREAM}},  entry{"unixgram", {AF_UNIX, SOCK_DGRAM}},
  };
  for (const entry& e : all)
    if (e.name == name) return e.is;
  return std::unexpected(std::make_error_code(std::errc::protocol_not_supported));
}

result<int> open_for(const network& n, const net::address& a) noexcept {
  const int family = a.is_unix() ? AF_UNIX : a.is_ipv6() ? AF_INET6 : AF_INET;
  const int fd = calls::open_socket(family, n.type, 0);
  if (fd < 0) return std::unexpected(system_error_of(fd));
  if (n.type == SOCK_DGRAM && !n.local()) calls::set_option(fd, SOL_SOCKET, SO_BROADCAST, 1);
  return fd;
}

void set_defaults(const network& n, int fd) noexcept {
  constexpr int k_idle_s = 15;
  if (!n.tcp()) return;
  calls::set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  calls::set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  calls::set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, k_idle_s);
  calls::set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, k_idle_s);
}

}  // namespace weft::runtime
