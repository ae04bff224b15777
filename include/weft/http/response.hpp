// What a handler answers.
#pragma once
#include <cstddef>
#include <string_view>

#include "weft/bytes.hpp"
#include "weft/context.hpp"
#include "weft/error.hpp"
#include "weft/http/headers.hpp"

namespace weft::http {

namespace detail {
struct exchange;
}

// Status 200 and an empty body, unless the handler says otherwise. A body that is written whole within a few KiB goes
// out in one piece, with its length; a longer or flushed one as it is written: in chunks, or under the Content-Length
// that the handler has set (a write beyond it is refused, a body that falls short ends the connection). To HEAD the
// body is counted but not sent. Date and Connection are added; Connection: close is heeded, other fields of the
// connection (Transfer-Encoding, Connection) are the server's.
//
// For one fiber at a time.
class WEFT_API response {
 public:
  // 200 to 599; throws std::invalid_argument for another, std::logic_error once the header has been sent.
  void status(int code);
  int status() const noexcept;
  headers& fields() noexcept;  // changes after the header was sent have no effect
  bool header_sent() const noexcept;

  // An io::writer: buffers, or blocks until the bytes are handed to the system. A client that takes nothing for longer
  // than server_options::stall: errc::deadline_exceeded. Cancellation points; with a context they report its end
  // instead. After an error or a write cut short the connection is of no more use.
  result<std::size_t> write(const_bytes from);
  result<std::size_t> write(const context& ctx, const_bytes from);
  // Sends the header, and the body as far as it has been written.
  result<void> flush();
  result<void> flush(const context& ctx);

  // A whole answer of plain text.
  void text(int code, std::string_view body);

 private:
  friend struct detail::exchange;
  explicit response(detail::exchange& e) noexcept : exchange_(&e) {}
  response(const response&) = delete;
  response& operator=(const response&) = delete;
  detail::exchange* exchange_;
};

}  // namespace weft::http
