// What a handler is asked.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weft/bytes.hpp"
#include "weft/context.hpp"
#include "weft/error.hpp"
#include "weft/http/headers.hpp"
#include "weft/net.hpp"

namespace weft::http {

namespace detail {
struct exchange;
}

// Valid, with all that it gives, until the handler returns. For one fiber at a time; once the header of the response
// has been sent, one may read the body while another writes.
class WEFT_API request {
 public:
  // What the handler's fiber is bound to. Cancelled when the client goes away, when server_options::handler has passed,
  // when the server's draining is over, and when the handler has returned. While a part of the body is unread only the
  // reading tells that the client has gone.
  const context& ctx() const noexcept;

  std::string_view method() const noexcept;
  std::string_view target() const noexcept;  // as it was sent
  std::string_view path() const noexcept;    // of the target, not decoded
  std::string_view query() const noexcept;   // what follows the '?', not decoded
  int minor_version() const noexcept;        // of HTTP/1
  const headers& fields() const noexcept;
  net::address remote_address() const noexcept;
  // The pattern that the request was found to match, and what stands for its wildcard of this name: decoded, empty
  // where there is none.
  std::string_view pattern() const noexcept;
  std::string_view value(std::string_view wildcard) const noexcept;

  // The body, an io::reader: blocks until there is some of it, 0 at its end. The first read sends 100 Continue to a
  // client that waits for it. Cancellation points; with a context they report its end instead.
  // Errors: std::errc::message_size beyond the limit, std::errc::bad_message where the client's chunks are none,
  // std::errc::connection_aborted where the client left in the middle, errc::deadline_exceeded when it was silent for
  // longer than server_options::stall; the connection ends then, and a handler that returns without having said
  // anything has the client told 413, 400 or 408.
  result<std::size_t> read(mutable_bytes into);
  result<std::size_t> read(const context& ctx, mutable_bytes into);
  result<std::string> read_all();
  result<std::string> read_all(const context& ctx);
  // In place of server_options::body_limit; counts from the next read on.
  void limit_body(std::uint64_t bytes) noexcept;
  std::optional<std::uint64_t> content_length() const noexcept;  // none: chunked, or no body
  const headers& trailers() const noexcept;                      // of a chunked body that was read to its end

 private:
  friend struct detail::exchange;
  explicit request(detail::exchange& e) noexcept : exchange_(&e) {}
  request(const request&) = delete;
  request& operator=(const request&) = delete;
  detail::exchange* exchange_;
};

}  // namespace weft::http
