// weft::http::websocket, and the way from a request to one: the handshake with its hash and encodings.
#include "weft/http/websocket.hpp"

#include <array>
#include <bit>
#include <cstdint>

#include "runtime/http/frames.hpp"
#include "runtime/http/text.hpp"

namespace weft::http {
namespace detail {
namespace {

// SHA-1 (FIPS 180), which proves nothing here but that the server knows the protocol.
std::array<std::uint8_t, 20> sha1(std::string text) {
  const std::uint64_t bits = std::uint64_t{text.size()} * 8;
  text += '\x80';
  while (text.size() % 64 != 56) text += '\0';
  for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(bits >> shift);
  std::array<std::uint32_t, 5> h{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (std::size_t block = 0; block < text.size(); block += 64) {
    std::array<std::uint32_t, 80> w{};
    for (std::size_t i = 0; i < 64; ++i) w[i / 4] = w[i / 4] << 8 | static_cast<std::uint8_t>(text[block + i]);
    for (std::size_t i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    auto [a, b, c, d, e] = h;
    for (std::size_t i = 0; i < 80; ++i) {
      const std::uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                              : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                              : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                                       : (b ^ c ^ d) + 0xca62c1d6;
      const std::uint32_t next = std::rotl(a, 5) + f + e + w[i];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
  }
  std::array<std::uint8_t, 20> digest{};
  for (std::size_t i = 0; i < 20; ++i) digest[i] = static_cast<std::uint8_t>(h[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

constexpr std::string_view k_base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(bytes.size() - i, 3);
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k) three = three << 8 | (k < n ? bytes[i + k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= n ? k_base64[three >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

// 16 bytes in base64.
bool is_key(std::string_view key) noexcept {
  return key.size() == 24 && key.ends_with("==") &&
         key.substr(0, 22).find_first_not_of(k_base64) == std::string_view::npos;
}

}  // namespace

std::string accept_key(std::string_view key) {
  return base64(sha1(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
}

bool is_utf8(std::string_view s) noexcept {
  for (std::size_t i = 0; i < s.size();) {
    const auto first = static_cast<std::uint8_t>(s[i]);
    const std::size_t more = first < 0x80   ? 0
                             : first < 0xc2 ? 9
                             : first < 0xe0 ? 1
                             : first < 0xf0 ? 2
                             : first < 0xf5 ? 3
                                            : 9;
    if (more > s.size() - i - 1) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      const auto c = static_cast<std::uint8_t>(s[i + k]);
      // After some first bytes the second one's range is smaller: no overlong forms, no surrogates, nothing above
      // U+10FFFF.
      const std::uint8_t low = k == 1 && first == 0xe0 ? 0xa0 : k == 1 && first == 0xf0 ? 0x90 : 0x80;
      const std::uint8_t high = k == 1 && first == 0xed ? 0x9f : k == 1 && first == 0xf4 ? 0x8f : 0xbf;
      if (c < low || c > high) return false;
    }
    i += more + 1;
  }
  return true;
}

}  // namespace detail

result<websocket> accept_websocket(request& q, response& r, const websocket_options& o) {
  detail::exchange& e = detail::exchange::of(q);
  const auto refuse = [&](int status, std::string_view why) {
    if (!e.header_sent) e.say(status, why);
    return std::unexpected(std::make_error_code(std::errc::protocol_error));
  };
  const headers& f = e.head.fields;
  if (e.header_sent || e.upgraded != nullptr) return refuse(0, {});
  const bool asks = e.head.method == "GET" && e.head.minor == 1 && e.parse.done() &&
                    f.has_token("Connection", "upgrade") && f.has_token("Upgrade", "websocket");
  if (!asks || f.get("Sec-WebSocket-Version") != "13") {
    r.fields().set("Sec-WebSocket-Version", "13");
    r.fields().set("Upgrade", "websocket");
    return refuse(426, "a WebSocket of version 13 is served here\n");
  }
  if (f.count("Sec-WebSocket-Key") != 1 || !detail::is_key(f.get("Sec-WebSocket-Key")))
    return refuse(400, "bad Sec-WebSocket-Key\n");
  // The stream is read from here on, so the reading tells when the client leaves.
  e.watching->stop();
  if (const std::error_code over = e.scope->ctx.err()) return std::unexpected(over);
  e.text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  e.text += detail::accept_key(f.get("Sec-WebSocket-Key"));
  if (!o.protocol.empty()) (e.text += "\r\nSec-WebSocket-Protocol: ") += o.protocol;
  e.text += "\r\n\r\n";
  e.header_sent = e.touched = true;
  std::array<const_bytes, 1> pieces{const_bytes(e.text)};
  if (const result<void> sent = e.send(nullptr, pieces); !sent) return std::unexpected(sent.error());
  e.conn.set_read_deadline(net::no_deadline);
  e.upgraded = std::make_unique<detail::frames>(e, o.message_limit);
  return websocket(e);
}

result<websocket::message> websocket::read() { return exchange_->upgraded->read(nullptr); }
result<websocket::message> websocket::read(const context& ctx) { return exchange_->upgraded->read(&ctx); }
result<void> websocket::write(kind type, const_bytes data) {
  return exchange_->upgraded->write(nullptr, static_cast<std::uint8_t>(type), data);
}
result<void> websocket::write(const context& ctx, kind type, const_bytes data) {
  return exchange_->upgraded->write(&ctx, static_cast<std::uint8_t>(type), data);
}
result<void> websocket::ping(std::string_view text) {
  return exchange_->upgraded->write(nullptr, 9, text.substr(0, 125));
}
result<void> websocket::close(std::uint16_t code, std::string_view reason) {
  return exchange_->upgraded->close(nullptr, code, reason);
}
std::uint16_t websocket::close_code() const noexcept { return exchange_->upgraded->close_code(); }

}  // namespace weft::http
