// weft::net::listener, and listen.
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>

#include "runtime/base/clock.hpp"
#include "runtime/io/calls.hpp"
#include "runtime/io/network.hpp"
#include "runtime/io/transfer.hpp"

namespace weft::net {

using namespace runtime;

namespace {

constexpr std::int64_t k_first_pause_ns = 5'000'000, k_longest_pause_ns = 1'000'000'000;

// The connection that was to be accepted has failed, or errors of the network that accept(2) passes on: the next one.
bool concerns_one(int error) noexcept {
  for (const int e :
       {ECONNABORTED, ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH})
    if (error == e) return true;
  return false;
}

bool exhausted(const std::error_code& e) noexcept {
  if (e.category() != std::system_category()) return false;
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC})  // the last: the poller watches no more
    if (e.value() == error) return true;
  return false;
}

long accept_next(int fd) noexcept {
  for (;;) {
    const long value = calls::accept(fd);
    if (value >= 0 || !concerns_one(static_cast<int>(-value))) return value;
  }
}

// New connections that come meanwhile are no reason to try sooner.
ended back_off(detail::socket_handle h, const context* ctx, std::int64_t ns) noexcept {
  const std::int64_t until = saturating_add(now_ns(), ns);
  for (;;) {
    const std::int64_t left = until - now_ns();
    if (left <= 0) return {ended::how::done, 0, {}};
    const ended e = pause_on(h, direction::read, ctx, wait_reason::network_accept, left);
    if (e.what != ended::how::done) return e;
  }
}

result<conn> accept_one(detail::socket_handle h, const context* ctx) {
  for (std::int64_t pause = k_first_pause_ns;; pause = std::min(2 * pause, k_longest_pause_ns)) {
    bool tells_drained = false;
    const auto next = [&](int fd) {
      tells_drained = h.record->tells_drained;  // in use: another listener may have the record afterwards
      return accept_next(fd);
    };
    ended e = transfer(h, direction::read, ctx, wait_reason::network_accept, next);
    if (e.what == ended::how::done) {
      const result<detail::socket_handle> s = open_socket(static_cast<int>(e.value), tells_drained);
      if (s) return conn(*s);
      e = {ended::how::failed, 0, s.error()};  // that connection is lost
    }
    if (e.what != ended::how::failed || !exhausted(e.error)) return std::unexpected(error_in(e, ctx));
    e = back_off(h, ctx, pause);
    if (e.what != ended::how::done) return std::unexpected(error_in(e, ctx));
  }
}

result<detail::socket_handle> open_bound(const network& n, const address& a) noexcept {
  const result<int> fd = open_for(n, a);
  if (!fd) return std::unexpected(fd.error());
  if (n.tcp()) calls::set_option(*fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (a.is_ipv6()) calls::set_option(*fd, IPPROTO_IPV6, IPV6_V6ONLY, n.family == AF_INET6 ? 1 : 0);
  int e = calls::bind(*fd, static_cast<const sockaddr*>(a.data()), static_cast<socklen_t>(a.size()));
  if (e == 0 && n.type == SOCK_STREAM) {
    set_defaults(n, *fd);
    e = calls::listen(*fd);
  }
  if (e == 0) return open_socket(*fd, n.tcp());
  calls::close(*fd);
  return std::unexpected(system_error_of(e));
}

// Bound to the first address that can be.
struct bound_socket {
  detail::socket_handle handle;
  std::string path;
};
result<bound_socket> bind_any(std::string_view network_name, std::string_view text, int type) {
  const result<network> n = find_network(network_name);
  if (!n) return std::unexpected(n.error());
  if (n->type != type) return std::unexpected(std::make_error_code(std::errc::protocol_not_supported));
  const result<std::vector<address>> all = look_up(nullptr, *n, text, true);
  if (!all) return std::unexpected(all.error());
  std::error_code first;
  for (const address& a : *all) {
    const result<detail::socket_handle> h = open_bound(*n, a);
    if (h) return bound_socket{*h, n->local() && text.front() != '@' ? std::string(text) : std::string()};
    if (!first) first = h.error();
  }
  return std::unexpected(first);
}

result<void> close_with_path(detail::socket_handle h, const std::string& path) noexcept {
  if (close_socket(h, path.empty() ? nullptr : path.c_str())) return {};
  return std::unexpected(std::error_code(errc::closed));
}

}  // namespace

listener& listener::operator=(listener&& o) noexcept {
  if (this == &o) return *this;
  static_cast<void>(close());
  socket::operator=(std::move(o));
  path_ = std::exchange(o.path_, {});  // NOLINT(bugprone-use-after-move): not its base's
  return *this;
}
listener::~listener() { static_cast<void>(close()); }

result<conn> listener::accept() const { return accept_one(handle_, nullptr); }
result<conn> listener::accept(const context& ctx) const { return accept_one(handle_, &ctx); }
result<void> listener::close() const noexcept { return close_with_path(handle_, path_); }

packet_conn& packet_conn::operator=(packet_conn&& o) noexcept {
  if (this == &o) return *this;
  static_cast<void>(close());
  socket::operator=(std::move(o));
  path_ = std::exchange(o.path_, {});  // NOLINT(bugprone-use-after-move): not its base's
  return *this;
}
packet_conn::~packet_conn() { static_cast<void>(close()); }
result<void> packet_conn::close() const noexcept { return close_with_path(handle_, path_); }

result<listener> listen(std::string_view network_name, std::string_view text) {
  result<bound_socket> s = bind_any(network_name, text, SOCK_STREAM);
  if (!s) return std::unexpected(s.error());
  return listener(s->handle, std::move(s->path));
}

result<packet_conn> listen_packet(std::string_view network_name, std::string_view text) {
  result<bound_socket> s = bind_any(network_name, text, SOCK_DGRAM);
  if (!s) return std::unexpected(s.error());
  return packet_conn(s->handle, std::move(s->path));
}

}  // namespace weft::net
