// weft::net::socket and conn.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "runtime/base/clock.hpp"
#include "runtime/io/calls.hpp"
#include "runtime/io/network.hpp"
#include "runtime/io/transfer.hpp"
#include "runtime/io/writing_turn.hpp"

namespace weft::net {

using namespace runtime;

namespace {

std::unexpected<std::error_code> closed() noexcept { return std::unexpected(std::error_code(errc::closed)); }

result<void> outcome(int value) noexcept {
  if (value < 0) return std::unexpected(system_error_of(value));
  return {};
}

template <class F>
result<void> with_descriptor(detail::socket_handle h, F f) noexcept {
  const socket_use use(h);
  if (!use) return closed();
  return outcome(f(use.fd()));
}

void set(detail::socket_handle h, direction d, clock::time_point t) noexcept {
  set_deadline(h, d, t.time_since_epoch().count());
}

address name_of(detail::socket_handle h, int (*ask)(int, sockaddr*, socklen_t*)) noexcept {
  const socket_use use(h);
  sockaddr_storage s{};
  socklen_t size = sizeof s;
  if (!use || ask(use.fd(), reinterpret_cast<sockaddr*>(&s), &size) != 0) return {};
  return {&s, size};
}

// What a write has still to do: the pieces from the first that is not done with.
class remainder {
 public:
  explicit remainder(std::span<const const_bytes> pieces) noexcept : pieces_(pieces) {}

  bool over() const noexcept { return pieces_.empty(); }
  long send(int fd) const noexcept {
    if (pieces_.size() == 1) return calls::send(fd, first(), pieces_.front().size() - done_);
    std::array<iovec, k_most> parts;
    msghdr m{};
    m.msg_iov = parts.data();
    m.msg_iovlen = std::min(pieces_.size(), parts.size());
    for (std::size_t i = 0; i < m.msg_iovlen; ++i) parts[i] = {const_cast<void*>(pieces_[i].data()), pieces_[i].size()};
    parts[0] = {const_cast<char*>(first()), pieces_.front().size() - done_};
    return calls::send(fd, &m);
  }
  void advance(std::size_t n) noexcept {
    done_ += n;
    while (!pieces_.empty() && done_ >= pieces_.front().size()) {
      done_ -= pieces_.front().size();
      pieces_ = pieces_.subspan(1);
    }
  }

 private:
  static constexpr std::size_t k_most = 64;
  const char* first() const noexcept { return static_cast<const char*>(pieces_.front().data()) + done_; }

  std::span<const const_bytes> pieces_;
  std::size_t done_ = 0;  // of the first
};

result<std::size_t> write_all(detail::socket_handle h, const context* ctx, std::span<const const_bytes> pieces) {
  if (h.record == nullptr) return closed();
  const writing_turn turn(h, ctx);
  if (turn.error()) return std::unexpected(turn.error());
  remainder rest(pieces);
  const auto send = [&](int fd) { return rest.send(fd); };
  std::size_t total = 0;
  do {
    if (rest.over()) break;  // nothing at all
    const ended e = transfer(h, direction::write, ctx, wait_reason::network_write, send);
    if (e.what != ended::how::done) {
      if (total != 0) return total;  // the next call tells why
      return std::unexpected(error_in(e, ctx));
    }
    total += static_cast<std::size_t>(e.value);
    rest.advance(static_cast<std::size_t>(e.value));
  } while (!rest.over());
  return total;
}

result<std::size_t> read_one(detail::socket_handle h, const context* ctx, mutable_bytes into) {
  const auto receive = [&](int fd) -> long {
    if (into.size() == 0) return 0;
    socket_record& s = *h.record;
    const std::uint64_t events = s.read.events.load(acquire);
    // Once the peer has ended it is tried all the same: one event stands for the last bytes and the end alike.
    if (s.drained_at.load(relaxed) == events && !s.ended.load(relaxed)) return -EAGAIN;
    const long n = calls::receive(fd, into.data(), into.size());
    if (s.tells_drained && n > 0 && static_cast<std::size_t>(n) < into.size()) s.drained_at.store(events, relaxed);
    return n;
  };
  return conclude(transfer(h, direction::read, ctx, wait_reason::network_read, receive), ctx);
}

// The poller notes the end before it counts the event that wakes.
result<void> wait_for_end(detail::socket_handle h, const context* ctx) {
  const auto look = [&](int) -> long { return h.record->ended.load(relaxed) ? 0 : -EAGAIN; };
  const ended e = transfer(h, direction::read, ctx, wait_reason::network_read, look);
  if (e.what != ended::how::done) return std::unexpected(error_in(e, ctx));
  return {};
}

}  // namespace

socket& socket::operator=(socket&& o) noexcept {
  if (this == &o) return *this;
  close_socket(handle_);
  handle_ = std::exchange(o.handle_, {});
  return *this;
}
socket::~socket() { close_socket(handle_); }
socket::operator bool() const noexcept { return static_cast<bool>(socket_use(handle_)); }

result<void> socket::close() const noexcept {
  if (!close_socket(handle_)) return closed();
  return {};
}
void socket::set_deadline(clock::time_point t) const noexcept {
  set(handle_, direction::read, t);
  set(handle_, direction::write, t);
}
address socket::local_address() const noexcept { return name_of(handle_, calls::local_address); }
int socket::native_handle() const noexcept {
  const socket_use use(handle_);
  return use ? use.fd() : -1;
}

result<std::size_t> conn::read(mutable_bytes into) const { return read_one(handle_, nullptr, into); }
result<std::size_t> conn::read(const context& ctx, mutable_bytes into) const { return read_one(handle_, &ctx, into); }

result<void> conn::wait_end() const { return wait_for_end(handle_, nullptr); }
result<void> conn::wait_end(const context& ctx) const { return wait_for_end(handle_, &ctx); }

result<std::size_t> conn::write(const_bytes from) const { return write_all(handle_, nullptr, {&from, 1}); }
result<std::size_t> conn::write(const context& ctx, const_bytes from) const {
  return write_all(handle_, &ctx, {&from, 1});
}
result<std::size_t> conn::write(std::span<const const_bytes> from) const { return write_all(handle_, nullptr, from); }
result<std::size_t> conn::write(const context& ctx, std::span<const const_bytes> from) const {
  return write_all(handle_, &ctx, from);
}

result<std::size_t> conn::read_parts(std::span<const mutable_bytes> into) const {
  if (into.size() == 1) return read(into.front());
  const auto receive = [&](int fd) {
    std::array<iovec, detail::k_most_parts> parts;
    msghdr m{};
    m.msg_iov = parts.data();
    m.msg_iovlen = into.size();
    for (std::size_t i = 0; i < into.size(); ++i) parts[i] = {into[i].data(), into[i].size()};
    return calls::receive(fd, &m);
  };
  return conclude(transfer(handle_, direction::read, nullptr, wait_reason::network_read, receive), nullptr);
}

result<std::size_t> conn::write_parts(std::span<const const_bytes> from) const {
  if (handle_.record == nullptr) return closed();
  const writing_turn turn(handle_, nullptr);
  if (turn.error()) return std::unexpected(turn.error());
  const auto send = [&](int fd) { return remainder(from).send(fd); };
  return conclude(transfer(handle_, direction::write, nullptr, wait_reason::network_write, send), nullptr);
}

result<void> conn::close_write() const noexcept {
  return with_descriptor(handle_, [](int fd) { return calls::shutdown(fd, SHUT_WR); });
}
result<void> conn::close_read() const noexcept {
  return with_descriptor(handle_, [](int fd) { return calls::shutdown(fd, SHUT_RD); });
}
void conn::set_read_deadline(clock::time_point t) const noexcept { set(handle_, direction::read, t); }
void conn::set_write_deadline(clock::time_point t) const noexcept { set(handle_, direction::write, t); }
address conn::remote_address() const noexcept { return name_of(handle_, calls::peer_address); }

result<void> conn::set_no_delay(bool on) const noexcept {
  return with_descriptor(handle_, [=](int fd) { return calls::set_option(fd, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0); });
}
result<void> conn::set_keep_alive(timespan idle) const noexcept {
  constexpr std::int64_t k_second = 1'000'000'000, k_most_s = 32'767;  // the system's bound
  return with_descriptor(handle_, [=](int fd) {
    if (idle.ns <= 0) return calls::set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
    const int seconds = static_cast<int>(std::min((idle.ns - 1) / k_second + 1, k_most_s));
    for (const int name : {TCP_KEEPIDLE, TCP_KEEPINTVL})
      if (const int e = calls::set_option(fd, IPPROTO_TCP, name, seconds); e < 0) return e;
    return calls::set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  });
}

}  // namespace weft::net
