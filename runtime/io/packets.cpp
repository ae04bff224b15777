// weft::net::packet_conn's reads and writes.
#include <sys/uio.h>

#include "runtime/io/calls.hpp"
#include "runtime/io/transfer.hpp"
#include "weft/net.hpp"

namespace weft::net {

using namespace runtime;

namespace {

result<packet> read_packet(detail::socket_handle h, const context* ctx, mutable_bytes into) {
  sockaddr_storage from{};
  iovec part{into.data(), into.size()};
  msghdr m{};
  const auto receive = [&](int fd) {
    m = {};
    m.msg_name = &from;
    m.msg_namelen = sizeof from;
    m.msg_iov = &part;
    m.msg_iovlen = 1;
    return calls::receive(fd, &m);
  };
  const result<std::size_t> n = conclude(transfer(h, direction::read, ctx, wait_reason::network_read, receive), ctx);
  if (!n) return std::unexpected(n.error());
  return packet{*n, address(&from, m.msg_namelen)};
}

result<std::size_t> write_packet(detail::socket_handle h, const context* ctx, const_bytes from, const address& to) {
  iovec part{const_cast<void*>(from.data()), from.size()};
  msghdr m{};
  m.msg_name = const_cast<void*>(to.data());
  m.msg_namelen = static_cast<socklen_t>(to.size());
  m.msg_iov = &part;
  m.msg_iovlen = 1;
  const auto send = [&](int fd) { return calls::send(fd, &m); };
  return conclude(transfer(h, direction::write, ctx, wait_reason::network_write, send), ctx);
}

}  // namespace

result<packet> packet_conn::read_from(mutable_bytes into) const { return read_packet(handle_, nullptr, into); }
result<packet> packet_conn::read_from(const context& ctx, mutable_bytes into) const {
  return read_packet(handle_, &ctx, into);
}
result<std::size_t> packet_conn::write_to(const_bytes from, const address& to) const {
  return write_packet(handle_, nullptr, from, to);
}
result<std::size_t> packet_conn::write_to(const context& ctx, const_bytes from, const address& to) const {
  return write_packet(handle_, &ctx, from, to);
}

}  // namespace weft::net
