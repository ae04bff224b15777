// Sockets that park the fiber instead of blocking the thread: TCP, UDP, Unix. Go's package net. CMake: weft::net.
//
// A network is "tcp", "udp", "unix" (a stream) or "unixgram"; "tcp4", "tcp6", "udp4", "udp6" keep to one version of IP.
// An address is "host:port", "[ipv6]:port", ":port" (dial: this machine; listen: all its addresses), with a port's
// number or a service's name; or the path of a Unix socket, "@name" in the abstract name space.
//
// Every operation that may block is a cancellation point and comes in two forms: without a context it throws `canceled`
// when the bound one ends, with a context it reports errc::canceled or errc::deadline_exceeded. All other errors are
// results: the system's, errc::deadline_exceeded past a deadline, errc::closed on a handle that is closed or was never
// open. What has been done counts: bytes read are returned, whatever is cancelled meanwhile.
//
// Any number of fibers and foreign threads may use one handle at a time; only its move and its destruction are one's
// own. close() may be called while others wait: their waits end with errc::closed. SIGPIPE is never raised. A foreign
// thread that waits where no runtime runs looks every 10 ms.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "weft/bytes.hpp"
#include "weft/detail/buffer_sequence.hpp"
#include "weft/detail/socket_handle.hpp"
#include "weft/error.hpp"
#include "weft/time.hpp"

namespace weft {
class context;
}

namespace weft::net {

// Of a failed look-up of a name: getaddrinfo's codes.
WEFT_API const std::error_category& resolver_category() noexcept;

// Of a socket: an IP address with its port, or a Unix socket's path. A value; empty by default.
class WEFT_API address {
 public:
  address() noexcept = default;
  address(const void* system, std::size_t size) noexcept;  // a sockaddr
  // No look-up: "127.0.0.1:80", "[::1]:80". Else std::errc::invalid_argument.
  static result<address> parse(std::string_view text);

  bool empty() const noexcept { return size_ == 0; }
  bool is_ipv4() const noexcept;
  bool is_ipv6() const noexcept;
  bool is_unix() const noexcept;
  std::uint16_t port() const noexcept;  // 0 where there is none
  std::string host() const;             // "127.0.0.1", "::1"; the path
  std::string to_string() const;        // as parse takes it; the path

  const void* data() const noexcept { return words_.data(); }  // a sockaddr
  std::size_t size() const noexcept { return size_; }
  friend bool operator==(const address& a, const address& b) noexcept { return a.equal(b); }

 private:
  bool equal(const address&) const noexcept;
  std::array<std::uint64_t, 16> words_{};  // of words: gcc 12 copies 128 bytes one by one under AddressSanitizer
  std::size_t size_ = 0;
};

inline constexpr clock::time_point no_deadline = clock::time_point::max();

// What read_some gives at the end of a stream to a library with error codes of its own. For Asio and Beast specialise
// it: template <> struct weft::net::end_of_stream<boost::system::error_code> { static auto code() { return
// boost::asio::error::eof; } };
template <class ErrorCode>
struct end_of_stream {
  static ErrorCode code() {
    ErrorCode e;
    e.assign(static_cast<int>(std::errc::no_message_available), ErrorCode().category());
    return e;
  }
};
template <>
struct end_of_stream<std::error_code> {
  static std::error_code code() { return errc::closed; }
};

// What conn, listener and packet_conn share: an open socket, closed by the destructor. Moved from, it is closed.
class WEFT_API socket {
 public:
  socket() noexcept = default;
  socket(socket&& o) noexcept : handle_(std::exchange(o.handle_, {})) {}
  socket& operator=(socket&& o) noexcept;
  explicit operator bool() const noexcept;  // open

  // Ends the waits of others; does not block. errc::closed: it was closed already.
  result<void> close() const noexcept;
  // Operations that wait past it, and those begun after it, fail with errc::deadline_exceeded; no_deadline takes it
  // away. Counts for operations under way too.
  void set_deadline(clock::time_point) const noexcept;
  address local_address() const noexcept;  // empty when closed
  int native_handle() const noexcept;      // -1 when closed; for setsockopt and the like, does not block

 protected:
  friend struct detail::handle_access;
  explicit socket(detail::socket_handle h) noexcept : handle_(h) {}
  ~socket();
  detail::socket_handle handle_;
};

// A connection: a stream of bytes, or datagrams to and from one peer.
class WEFT_API conn : public socket {
 public:
  conn() noexcept = default;
  explicit conn(detail::socket_handle h) noexcept : socket(h) {}

  // Blocks until there is something; gives what is there, at most the buffer's size. 0: the end of the stream (or an
  // empty datagram; or an empty buffer, for which it never blocks).
  result<std::size_t> read(mutable_bytes into) const;
  result<std::size_t> read(const context& ctx, mutable_bytes into) const;

  // Blocks until all of it has been handed to the system. A count below the size: it was ended early, by a cancel, a
  // deadline or an error, of which the next call tells. Of several that write at a time each writes the whole before
  // the next begins.
  result<std::size_t> write(const_bytes from) const;
  result<std::size_t> write(const context& ctx, const_bytes from) const;
  // The same for several pieces, one after the other, in as few system calls as will do.
  result<std::size_t> write(std::span<const const_bytes> from) const;
  result<std::size_t> write(const context& ctx, std::span<const const_bytes> from) const;

  // Blocks until the peer has ended its stream or reset it, whatever is still unread, and reads nothing: for noticing
  // that somebody has left while an answer is worked on. A read deadline counts. Not for datagrams.
  result<void> wait_end() const;
  result<void> wait_end(const context& ctx) const;

  // The peer reads the end of the stream; reading goes on.
  result<void> close_write() const noexcept;
  result<void> close_read() const noexcept;
  void set_read_deadline(clock::time_point) const noexcept;
  void set_write_deadline(clock::time_point) const noexcept;
  address remote_address() const noexcept;
  // TCP. Small writes go out at once: the default.
  result<void> set_no_delay(bool) const noexcept;
  // TCP. Asks after a peer that has been silent for so long, in whole seconds; default 15 s, 0 turns it off.
  result<void> set_keep_alive(timespan idle) const noexcept;

  // Asio's SyncReadStream and SyncWriteStream. One system call's worth; the first form throws std::system_error. The
  // end of the stream is an error here, see end_of_stream.
  template <class Buffers>
  std::size_t read_some(const Buffers& into) const {
    std::error_code e;
    const std::size_t n = read_some(into, e);
    if (e) throw std::system_error(e);
    return n;
  }
  template <class Buffers, class ErrorCode>
  std::size_t read_some(const Buffers& into, ErrorCode& e) const {
    const detail::parts<mutable_bytes> parts(into);
    const std::span<const mutable_bytes> all = parts;
    const result<std::size_t> n = all.empty() ? result<std::size_t>(0) : read_parts(all);
    if (n && *n == 0 && !all.empty())
      e = end_of_stream<ErrorCode>::code();
    else
      finish(n, e);
    return n.value_or(0);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& from) const {
    std::error_code e;
    const std::size_t n = write_some(from, e);
    if (e) throw std::system_error(e);
    return n;
  }
  template <class Buffers, class ErrorCode>
  std::size_t write_some(const Buffers& from, ErrorCode& e) const {
    const detail::parts<const_bytes> parts(from);
    const std::span<const const_bytes> all = parts;
    const result<std::size_t> n = all.empty() ? result<std::size_t>(0) : write_parts(all);
    finish(n, e);
    return n.value_or(0);
  }

 private:
  template <class ErrorCode>
  static void finish(const result<std::size_t>& n, ErrorCode& e) {
    if (n)
      e = ErrorCode();
    else
      detail::assign_error(e, n.error());
  }
  result<std::size_t> read_parts(std::span<const mutable_bytes>) const;
  result<std::size_t> write_parts(std::span<const const_bytes>) const;
};

// Connections to come.
class WEFT_API listener : public socket {
 public:
  listener() noexcept = default;
  listener(detail::socket_handle h, std::string path) noexcept : socket(h), path_(std::move(path)) {}
  listener(listener&&) noexcept = default;
  listener& operator=(listener&&) noexcept;
  ~listener();

  // Blocks until somebody connects. With no descriptor or memory to be had it tries again, after 5 ms and ever later,
  // up to 1 s.
  result<conn> accept() const;
  result<conn> accept(const context& ctx) const;
  // A Unix socket's path is removed as well.
  result<void> close() const noexcept;

 private:
  std::string path_;
};

// Datagrams to and from anybody.
struct packet {
  std::size_t size;
  address from;
};
class WEFT_API packet_conn : public socket {
 public:
  packet_conn() noexcept = default;
  packet_conn(detail::socket_handle h, std::string path) noexcept : socket(h), path_(std::move(path)) {}
  packet_conn(packet_conn&&) noexcept = default;
  packet_conn& operator=(packet_conn&&) noexcept;
  ~packet_conn();

  // Blocks until a datagram comes, and gives that one; what does not fit into the buffer is lost.
  result<packet> read_from(mutable_bytes into) const;
  result<packet> read_from(const context& ctx, mutable_bytes into) const;
  result<std::size_t> write_to(const_bytes from, const address& to) const;
  result<std::size_t> write_to(const context& ctx, const_bytes from, const address& to) const;
  result<void> close() const noexcept;

 private:
  std::string path_;
};

// Connects to the first of the address's IP addresses that answers; the error is that of the first one. A context's
// deadline is shared out among those left. A name is looked up by the system, /etc/hosts included, on another thread;
// when the caller is cancelled it returns at once, and the look-up goes on alone.
[[nodiscard]] WEFT_API result<conn> dial(std::string_view network, std::string_view address);
[[nodiscard]] WEFT_API result<conn> dial(const context& ctx, std::string_view network, std::string_view address);
// All addresses of a name, in the order in which dial tries them.
[[nodiscard]] WEFT_API result<std::vector<address>> resolve(std::string_view network, std::string_view address);
[[nodiscard]] WEFT_API result<std::vector<address>> resolve(const context& ctx, std::string_view network,
                                                            std::string_view address);

// Blocks only to look up a host's name. Port 0: one that is free, see local_address. An address just used may be used
// again at once. ":port" takes IPv6 and IPv4 together where the machine has both.
[[nodiscard]] WEFT_API result<listener> listen(std::string_view network, std::string_view address);
[[nodiscard]] WEFT_API result<packet_conn> listen_packet(std::string_view network, std::string_view address);

}  // namespace weft::net
