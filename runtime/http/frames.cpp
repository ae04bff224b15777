#include "runtime/http/frames.hpp"

#include <algorithm>
#include <array>

#include "runtime/http/exchange.hpp"

namespace weft::http::detail {
namespace {

enum opcode : std::uint8_t { k_continued = 0, k_text = 1, k_binary = 2, k_close = 8, k_ping = 9, k_pong = 10 };
constexpr std::size_t k_control_limit = 125;
constexpr std::uint16_t k_protocol_error = 1002, k_no_code = 1005, k_not_utf8 = 1007, k_too_long = 1009;

std::uint8_t octet(char c) noexcept { return static_cast<std::uint8_t>(c); }

bool may_be_sent(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace

bool frames::take_header() {
  input& in = exchange_.in;
  const std::string_view b = in.view();
  if (b.size() < 2) return false;
  const std::uint8_t first = octet(b[0]), second = octet(b[1]);
  const std::size_t extended = (second & 0x7f) == 126 ? 2 : (second & 0x7f) == 127 ? 8 : 0;
  const std::size_t size = 2 + extended + 4;
  const std::uint8_t code = first & 0x0f;
  const bool control = code >= k_close;
  const bool known = code <= k_binary || (code >= k_close && code <= k_pong);
  const bool in_order = control || (code == k_continued) == (message_ != 0);
  if ((first & 0x70) != 0 || (second & 0x80) == 0 || !known || !in_order ||
      (control && ((first & 0x80) == 0 || extended != 0))) {
    wrong_ = k_protocol_error;
    return true;
  }
  if (b.size() < size) return false;
  std::uint64_t left = extended == 0 ? second & 0x7f : 0;
  for (std::size_t i = 0; i < extended; ++i) left = left << 8 | octet(b[2 + i]);
  now_ = {(first & 0x80) != 0, code, left, {}, 0};
  for (std::size_t i = 0; i < 4; ++i) now_.mask[i] = octet(b[2 + extended + i]);
  if (left >> 63 != 0)
    wrong_ = k_protocol_error;
  else if (!control && left > limit_ - data_.size())
    wrong_ = k_too_long;
  if (code == k_text || code == k_binary) message_ = code;
  in.consume(size);
  in_frame_ = true;
  return true;
}

void frames::take_payload() {
  input& in = exchange_.in;
  std::string& to = now_.opcode >= k_close ? control_ : data_;
  const std::string_view b = in.view().substr(0, std::min<std::uint64_t>(in.size(), now_.left));
  const std::size_t at = to.size();
  to.append(b);
  for (std::size_t i = at; i < to.size(); ++i) to[i] = static_cast<char>(octet(to[i]) ^ now_.mask[now_.turn++ & 3]);
  now_.left -= b.size();
  in.consume(b.size());
}

std::unexpected<std::error_code> frames::refuse(const context* ctx, std::uint16_t code, std::errc why) {
  ended_ = std::make_error_code(why);
  static_cast<void>(close(ctx, code, {}));
  return std::unexpected(ended_);
}

result<bool> frames::end_control(const context* ctx) {
  const std::string text = std::exchange(control_, {});
  if (now_.opcode == k_ping) {
    static_cast<void>(write(ctx, k_pong, text));  // the stream's error comes out of the next read
  } else if (now_.opcode == k_close) {
    close_code_ = k_no_code;
    if (text.size() >= 2) close_code_ = static_cast<std::uint16_t>(octet(text[0]) << 8 | octet(text[1]));
    if (text.size() == 1 || (text.size() >= 2 && !may_be_sent(close_code_)))
      return refuse(ctx, k_protocol_error, std::errc::protocol_error);
    if (text.size() > 2 && !is_utf8(std::string_view(text).substr(2)))
      return refuse(ctx, k_not_utf8, std::errc::illegal_byte_sequence);
    ended_ = errc::closed;
    static_cast<void>(close(ctx, text.size() < 2 ? std::uint16_t{0} : close_code_, {}));
    return std::unexpected(ended_);
  }
  return false;
}

result<bool> frames::end_frame(const context* ctx) {
  in_frame_ = false;
  if (now_.opcode >= k_close) return end_control(ctx);
  if (!now_.last) return false;
  if (message_ == k_text && !is_utf8(data_)) return refuse(ctx, k_not_utf8, std::errc::illegal_byte_sequence);
  return true;
}

result<websocket::message> frames::read(const context* ctx) {
  for (;;) {
    if (ended_) return std::unexpected(ended_);
    const bool some = in_frame_ || take_header();
    if (wrong_ != 0) {
      const bool too_long = wrong_ == k_too_long;
      return refuse(ctx, wrong_, too_long ? std::errc::message_size : std::errc::protocol_error);
    }
    if (some) take_payload();
    if (some && now_.left == 0) {
      const result<bool> whole = end_frame(ctx);
      if (!whole) return std::unexpected(whole.error());
      if (!*whole) continue;
      const auto kind = static_cast<websocket::kind>(std::exchange(message_, std::uint8_t{0}));
      return websocket::message{kind, std::exchange(data_, {})};
    }
    if (some && !exchange_.in.empty()) continue;
    const result<std::size_t> n = exchange_.fill(ctx, 16 << 10);
    if (!n) return std::unexpected(n.error());
    if (*n == 0) ended_ = std::make_error_code(std::errc::connection_aborted);
  }
}

result<void> frames::write(const context* ctx, std::uint8_t opcode, const_bytes data) {
  if (closed_.load(std::memory_order_acquire)) return std::unexpected(std::error_code(errc::closed));
  std::array<char, 10> header;
  std::size_t size = 2;
  header[0] = static_cast<char>(0x80 | opcode);
  if (data.size() <= 125) {
    header[1] = static_cast<char>(data.size());
  } else {
    const std::size_t bytes = data.size() <= 0xffff ? 2 : 8;
    header[1] = static_cast<char>(bytes == 2 ? 126 : 127);
    for (std::size_t i = 0; i < bytes; ++i) header[2 + i] = static_cast<char>(data.size() >> (8 * (bytes - 1 - i)));
    size += bytes;
  }
  const std::array<const_bytes, 2> pieces{const_bytes(header.data(), size), data};
  const net::conn& c = exchange_.conn;
  c.set_write_deadline(clock::now() + exchange_.patience);
  const result<std::size_t> n = ctx == nullptr ? c.write(pieces) : c.write(*ctx, pieces);
  if (!n) return std::unexpected(n.error());
  if (*n == size + data.size()) return {};
  closed_.store(true, std::memory_order_release);  // half a frame is out: nothing makes sense after it
  static_cast<void>(c.close_write());
  return std::unexpected(std::make_error_code(std::errc::broken_pipe));
}

result<void> frames::close(const context* ctx, std::uint16_t code, std::string_view reason) {
  std::string text;
  if (code >= 1000) {
    text += static_cast<char>(code >> 8);
    text += static_cast<char>(code);
    reason = reason.substr(0, k_control_limit - 2);
    while (!is_utf8(reason)) reason.remove_suffix(1);
    text += reason;
  }
  const result<void> sent = write(ctx, k_close, text);
  closed_.store(true, std::memory_order_release);
  return sent;
}

}  // namespace weft::http::detail
