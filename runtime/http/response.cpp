// weft::http::response, and the writing of an answer.
#include "weft/http/response.hpp"

#include <array>
#include <charconv>
#include <ctime>
#include <stdexcept>

#include "runtime/http/exchange.hpp"
#include "runtime/http/text.hpp"

namespace weft::http {
namespace detail {
namespace {

void append_field(std::string& to, std::string_view name, std::string_view value) {
  ((to += name) += ": ") += value;
  to += "\r\n";
}

void append_number(std::string& to, std::uint64_t n, int base = 10) {
  std::array<char, 20> digits;
  to.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), n, base).ptr);
}

// Those that say how the message is framed are the server's own.
bool is_framing(std::string_view name) noexcept {
  return same_word(name, "Connection") || same_word(name, "Transfer-Encoding") || same_word(name, "Content-Length") ||
         same_word(name, "Keep-Alive");
}

}  // namespace

// `whole`: nothing more comes than what is there, so that it can be said now whether the connection goes on.
void exchange::settle_keep(bool whole) {
  const bool wanted = head.minor == 1 ? !head.fields.has_token("Connection", "close")
                                      : head.fields.has_token("Connection", "keep-alive");
  keep = wanted && !fields.has_token("Connection", "close") && !body_error && parse.refused().status == 0 &&
         (!whole || skip_body()) && (in.size() != 0 || !from.draining.load(std::memory_order_relaxed));
}

void exchange::add_date() {
  if (fields.has("Date")) return;
  if (const std::time_t now = std::time(nullptr); now != dated_) {
    date_ = date_text(now);
    dated_ = now;
  }
  append_field(text, "Date", date_);
}

// Into `text`. Without a size the body is chunked, or ends with the connection.
void exchange::write_header(std::optional<std::uint64_t> size) {
  header_sent = true;
  text = "HTTP/1.1 ";
  append_number(text, static_cast<std::uint64_t>(status));
  ((text += ' ') += reason_of(status)) += "\r\n";
  add_date();
  for (const field& f : fields.all())
    if (!is_framing(f.name)) append_field(text, f.name, f.value);
  chunking = false;
  if (size) {
    text += "Content-Length: ";
    append_number(text, *size);
    text += "\r\n";
  } else if (!bodyless()) {
    chunking = head.minor == 1;
    keep &= chunking;
    if (chunking) append_field(text, "Transfer-Encoding", "chunked");
  }
  if (head.minor == 1 && !keep) append_field(text, "Connection", "close");
  if (head.minor == 0 && keep) append_field(text, "Connection", "keep-alive");
  text += "\r\n";
}

// The header, and what has been written so far, goes out before the end of the body is known.
result<void> exchange::start_stream(const context* ctx) {
  settle_keep(false);
  if (status == 204 || status == 304) length.reset();
  write_header(length);
  return send_body(ctx, {}, false);
}

// The header if `text` holds it, what is in `out`, and `more`; as one chunk where there are chunks.
result<void> exchange::send_body(const context* ctx, const_bytes more, bool last) {
  const std::size_t size = out.size() + more.size();
  std::string end;
  if (chunking) {
    if (size != 0) {
      append_number(text, size, 16);
      text += "\r\n";
      end = "\r\n";
    }
    if (last) end += "0\r\n\r\n";
  }
  std::array<const_bytes, 4> pieces{const_bytes(text), const_bytes(out), more, const_bytes(end)};
  const result<void> sent = send(ctx, pieces);
  text.clear();
  out.clear();
  return sent;
}

result<std::size_t> exchange::write_body(const context* ctx, const_bytes more) {
  touched = true;
  if (upgraded != nullptr || broken) return std::unexpected(std::make_error_code(std::errc::broken_pipe));
  if (!header_sent && fields.has("Content-Length")) {
    length = parse_decimal(fields.get("Content-Length"));
    if (!length) return std::unexpected(std::make_error_code(std::errc::invalid_argument));
  }
  if (length && more.size() > *length - written)
    return std::unexpected(std::make_error_code(std::errc::value_too_large));
  written += more.size();
  if (bodyless()) return more.size();
  if (out.size() + more.size() <= k_buffer) {
    out.append(static_cast<const char*>(more.data()), more.size());
    return more.size();
  }
  if (!header_sent) {
    settle_keep(false);
    write_header(length);
  }
  if (const result<void> sent = send_body(ctx, more, false); !sent) return std::unexpected(sent.error());
  return more.size();
}

result<void> exchange::flush(const context* ctx) {
  if (const result<std::size_t> n = write_body(ctx, {}); !n) return std::unexpected(n.error());
  return header_sent ? send_body(ctx, {}, false) : start_stream(ctx);
}

bool exchange::falls_short() noexcept {
  if (!length && !header_sent && fields.has("Content-Length")) length = parse_decimal(fields.get("Content-Length"));
  return length && *length != written && !bodyless();
}

void exchange::finish() {
  if (!header_sent) {
    settle_keep(true);
    if (status == 204 || status == 304)
      write_header(std::nullopt);
    else
      write_header(is_head() && length ? length : written);
  }
  static_cast<void>(send_body(nullptr, {}, true));
}

result<void> exchange::send_again() { return send_body(nullptr, {}, true); }

void exchange::say(int code, std::string_view body) {
  touched = true;
  status = code;
  out.clear();
  written = 0;
  fields.erase("Content-Length");
  length.reset();
  fields.set("Content-Type", "text/plain; charset=utf-8");
  fields.set("X-Content-Type-Options", "nosniff");
  static_cast<void>(write_body(nullptr, body));
}

}  // namespace detail

void response::status(int code) {
  if (exchange_->header_sent) throw std::logic_error("weft: the response's header has been sent");
  if (code < 200 || code > 599) throw std::invalid_argument("weft: an HTTP status is from 200 to 599");
  exchange_->touched = true;
  exchange_->status = code;
}
int response::status() const noexcept { return exchange_->status; }
headers& response::fields() noexcept { return exchange_->fields; }
bool response::header_sent() const noexcept { return exchange_->header_sent; }

result<std::size_t> response::write(const_bytes from) { return exchange_->write_body(nullptr, from); }
result<std::size_t> response::write(const context& ctx, const_bytes from) { return exchange_->write_body(&ctx, from); }
result<void> response::flush() { return exchange_->flush(nullptr); }
result<void> response::flush(const context& ctx) { return exchange_->flush(&ctx); }

void response::text(int code, std::string_view body) {
  status(code);
  exchange_->say(code, body);
}

}  // namespace weft::http
