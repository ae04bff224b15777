// weft::net::dial and resolve.
#include <algorithm>
#include <cerrno>

#include "runtime/base/clock.hpp"
#include "runtime/io/calls.hpp"
#include "runtime/io/network.hpp"
#include "runtime/io/transfer.hpp"
#include "weft/context.hpp"
#include "weft/fiber.hpp"

namespace weft::net {

using namespace runtime;

namespace {

constexpr std::int64_t k_least_share_ns = 2'000'000'000, k_crowded_pause_ns = 1'000'000;

// The socket joins the poller only once it is connecting: before, the system calls it hung up.
struct begun_connection {
  detail::socket_handle handle;
  bool done;
};
result<begun_connection> begin(const network& n, const address& to, bool& crowded) noexcept {
  const result<int> fd = open_for(n, to);
  if (!fd) return std::unexpected(fd.error());
  set_defaults(n, *fd);
  const int e = calls::connect(*fd, static_cast<const sockaddr*>(to.data()), static_cast<socklen_t>(to.size()));
  crowded = e == -EAGAIN;  // a Unix listener has no room, and will not tell when it has
  if (e != 0 && e != -EINPROGRESS && e != -EINTR) {
    calls::close(*fd);
    return std::unexpected(system_error_of(e));
  }
  const result<detail::socket_handle> h = open_socket(*fd, n.tcp());
  if (!h) return std::unexpected(h.error());
  return begun_connection{*h, e == 0};
}

// A port of this machine's own may happen to connect to itself.
bool connected_to_itself(const network& n, const conn& c) noexcept {
  return n.tcp() && c.local_address() == c.remote_address();
}

long outcome(int fd) noexcept {
  if (const int e = calls::pending_error(fd)) return -e;
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const int e = calls::peer_address(fd, reinterpret_cast<sockaddr*>(&peer), &size);
  return e == -ENOTCONN ? -EAGAIN : e;
}

struct failure {
  std::error_code error;
  bool canceled;  // by the context: no other address is tried
};
using attempted = std::expected<conn, failure>;

std::unexpected<failure> failed(std::error_code e) noexcept { return std::unexpected(failure{e, false}); }

attempted await_connection(const context* ctx, const network& n, const begun_connection& begun, std::int64_t until) {
  conn c(begun.handle);
  if (!begun.done) {
    const ended e = transfer(begun.handle, direction::write, ctx, wait_reason::network_connect, outcome, until);
    if (e.what == ended::how::canceled) return std::unexpected(failure{error_in(e, ctx), true});
    if (e.what == ended::how::failed) return failed(e.error);
  }
  if (connected_to_itself(n, c)) return failed(std::make_error_code(std::errc::connection_refused));
  return c;
}

attempted connect(const context* ctx, const network& n, const address& to, std::int64_t until) {
  for (;;) {
    bool crowded = false;
    const result<begun_connection> b = begin(n, to, crowded);
    if (b) return await_connection(ctx, n, *b, until);
    if (!crowded) return failed(b.error());
    if (ctx == nullptr)
      this_fiber::sleep_for(std::chrono::nanoseconds(k_crowded_pause_ns));
    else if (const result<void> r = sleep_for(*ctx, std::chrono::nanoseconds(k_crowded_pause_ns)); !r)
      return std::unexpected(failure{r.error(), true});
  }
}

// Of the context's time, for the next of so many addresses.
std::int64_t share_of_time(const context* ctx, std::size_t addresses) {
  const std::optional<clock::time_point> deadline = ctx == nullptr ? this_fiber::context().deadline() : ctx->deadline();
  if (!deadline || addresses == 1) return k_forever;
  const std::int64_t now = now_ns();
  const std::int64_t left = deadline->time_since_epoch().count() - now;
  return now + std::max(left / static_cast<std::int64_t>(addresses), k_least_share_ns);
}

result<conn> dial_any(const context* ctx, std::string_view network_name, std::string_view text) {
  const result<network> n = find_network(network_name);
  if (!n) return std::unexpected(n.error());
  const result<std::vector<address>> all = look_up(ctx, *n, text, false);
  if (!all) return std::unexpected(all.error());
  std::error_code first;
  for (std::size_t i = 0; i < all->size(); ++i) {
    attempted c = connect(ctx, *n, (*all)[i], share_of_time(ctx, all->size() - i));
    if (c) return std::move(*c);
    if (c.error().canceled) return std::unexpected(c.error().error);
    if (!first) first = c.error().error;
  }
  return std::unexpected(first);
}

result<std::vector<address>> resolve_any(const context* ctx, std::string_view network_name, std::string_view text) {
  const result<network> n = find_network(network_name);
  if (!n) return std::unexpected(n.error());
  return look_up(ctx, *n, text, false);
}

}  // namespace

result<conn> dial(std::string_view network, std::string_view address) { return dial_any(nullptr, network, address); }
result<conn> dial(const context& ctx, std::string_view network, std::string_view address) {
  return dial_any(&ctx, network, address);
}
result<std::vector<address>> resolve(std::string_view network, std::string_view text) {
  return resolve_any(nullptr, network, text);
}
result<std::vector<address>> resolve(const context& ctx, std::string_view network, std::string_view text) {
  return resolve_any(&ctx, network, text);
}

}  // namespace weft::net
