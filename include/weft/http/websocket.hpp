// WebSockets (RFC 6455), without extensions.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weft/bytes.hpp"
#include "weft/context.hpp"
#include "weft/error.hpp"

namespace weft::http {

class request;
class response;
namespace detail {
struct exchange;
}

struct websocket_options {
  std::size_t message_limit = 1 << 20;  // of what the client sends; beyond it the close code is 1009
  std::string_view protocol{};          // the subprotocol that was chosen among the client's
};

// The server's end. Until the handler returns, which closes the connection. One fiber reads at a time; any number may
// write, and each message goes out whole. Cancellation points; with a context they report its end instead. After a
// read that was ended the next one goes on where it was.
class WEFT_API websocket {
 public:
  enum class kind : std::uint8_t { text = 1, binary = 2 };
  struct message {
    kind type;
    std::string data;  // text is UTF-8
  };

  // Blocks until a whole message has come; answers pings and the client's close meanwhile. errc::closed: it was closed
  // by either side, see close_code. std::errc::protocol_error, illegal_byte_sequence (text that is no UTF-8) and
  // message_size: the client broke the rules and has been told so. The stream's own errors; its end without a close
  // is std::errc::connection_aborted.
  result<message> read();
  result<message> read(const context& ctx);
  // Block until it is handed to the system. errc::closed once close() was called or answered.
  result<void> write(kind type, const_bytes data);
  result<void> write(const context& ctx, kind type, const_bytes data);
  result<void> write(const message& m) { return write(m.type, m.data); }
  result<void> ping(std::string_view text = {});  // at most 125 bytes; the answer is not shown
  // Sends the close, once; the client answers it, which a read then tells. A code below 1000 sends none. The reason is
  // UTF-8, at most 123 bytes of it are sent.
  result<void> close(std::uint16_t code = 1000, std::string_view reason = {});
  // What the client's close said: 0 before it, 1005 where it said nothing.
  std::uint16_t close_code() const noexcept;

 private:
  friend result<websocket> accept_websocket(request&, response&, const websocket_options&);
  explicit websocket(detail::exchange& e) noexcept : exchange_(&e) {}
  detail::exchange* exchange_;
};

// Called by a handler that has sent nothing yet. std::errc::protocol_error: the request asks for no WebSocket; the
// response is then 400 or 426 and says so. A page of any origin may ask: see the request's Origin.
// Blocks until the answer is handed to the system. Cancellation point.
WEFT_API result<websocket> accept_websocket(request&, response&, const websocket_options& = {});

}  // namespace weft::http
