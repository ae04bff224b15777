// weft::http::request, and the reading of a body.
#include "weft/http/request.hpp"

#include <array>

#include "runtime/http/exchange.hpp"

namespace weft::http {
namespace detail {
namespace {

// For so much of an unread body is waited, so that the connection can be kept.
constexpr std::uint64_t k_drained = 256 << 10;

}  // namespace

std::error_code exchange::fail_body(std::error_code e) noexcept { return body_error = e; }

result<std::size_t> exchange::read_body(const context* ctx, mutable_bytes into) {
  if (body_error) return std::unexpected(body_error);
  if (into.size() == 0 || parse.done()) return 0;
  if (head.length && *head.length > body_limit)
    return std::unexpected(fail_body(std::make_error_code(std::errc::message_size)));
  if (awaits_continue) {
    awaits_continue = false;
    std::array<const_bytes, 1> go_on{"HTTP/1.1 100 Continue\r\n\r\n"};
    if (!header_sent)
      if (const result<void> sent = send(ctx, go_on); !sent) return std::unexpected(sent.error());
  }
  const result<std::size_t> n = take_body(ctx, into);
  if (!n) return n;
  if (*n > body_limit - std::min(body_read, body_limit))
    return std::unexpected(fail_body(std::make_error_code(std::errc::message_size)));
  body_read += *n;
  if (parse.done() && handling && !options.half_close && watching) watching->start(conn, *scope);
  return n;
}

result<std::size_t> exchange::take_body(const context* ctx, mutable_bytes into) {
  for (;;) {
    std::size_t given = 0;
    in.consume(parse.take_body(in.view(), into, given));
    if (parse.refused().status != 0) return std::unexpected(fail_body(std::make_error_code(std::errc::bad_message)));
    if (given != 0 || parse.done()) return given;
    conn.set_read_deadline(clock::now() + options.stall);
    // A long body with a length needs no detour through `in`.
    const bool straight = head.length && in.empty() && into.size() >= k_buffer;
    const std::size_t most = std::min<std::uint64_t>(into.size(), parse.length_left());
    const result<std::size_t> n =
        straight ? receive(ctx, {into.data(), most}) : fill(ctx, std::max(options.header_limit, k_buffer));
    if (!n) {
      if (ctx != nullptr && ctx->err()) return n;  // the next read goes on
      if (n.error() == std::errc::no_buffer_space)
        return std::unexpected(fail_body(std::make_error_code(std::errc::bad_message)));
      return std::unexpected(fail_body(n.error()));
    }
    if (*n == 0) return std::unexpected(fail_body(std::make_error_code(std::errc::connection_aborted)));
    if (!straight) continue;
    static_cast<void>(parse.take_body({static_cast<const char*>(into.data()), *n}, into, given));
    return given;
  }
}

bool exchange::skip_body() {
  std::array<char, 1024> nowhere;
  while (!parse.done() && parse.refused().status == 0) {
    std::size_t given = 0;
    const std::size_t n = parse.take_body(in.view(), nowhere, given);
    if (n == 0) return false;
    in.consume(n);
  }
  return parse.done();
}

bool exchange::drain_body() {
  std::array<char, 4096> nowhere;
  body_limit = body_read + k_drained;
  if (awaits_continue || (head.length && parse.length_left() > k_drained)) return false;
  while (!parse.done())
    if (!read_body(nullptr, nowhere)) return false;
  return true;
}

}  // namespace detail

const context& request::ctx() const noexcept { return exchange_->scope->ctx; }
std::string_view request::method() const noexcept { return exchange_->head.method; }
std::string_view request::target() const noexcept { return exchange_->head.target; }
std::string_view request::path() const noexcept { return exchange_->path; }
std::string_view request::query() const noexcept { return exchange_->query; }
int request::minor_version() const noexcept { return exchange_->head.minor; }
const headers& request::fields() const noexcept { return exchange_->head.fields; }
const headers& request::trailers() const noexcept { return exchange_->head.trailers; }
net::address request::remote_address() const noexcept { return exchange_->conn.remote_address(); }
void request::limit_body(std::uint64_t bytes) noexcept { exchange_->body_limit = bytes; }
std::optional<std::uint64_t> request::content_length() const noexcept { return exchange_->head.length; }

std::string_view request::pattern() const noexcept {
  const auto* const way = exchange_->route.way;
  return way == nullptr ? std::string_view() : way->what.text;
}
std::string_view request::value(std::string_view wildcard) const noexcept {
  for (const auto& [name, value] : exchange_->route.values)
    if (name == wildcard) return value;
  return {};
}

result<std::size_t> request::read(mutable_bytes into) { return exchange_->read_body(nullptr, into); }
result<std::size_t> request::read(const context& ctx, mutable_bytes into) { return exchange_->read_body(&ctx, into); }

namespace {
result<std::string> read_whole(detail::exchange& e, const context* ctx) {
  std::string all;
  std::size_t size = 0;
  for (;;) {
    all.resize(size + std::max(detail::exchange::k_buffer, size / 2));
    const result<std::size_t> n = e.read_body(ctx, mutable_bytes(all.data() + size, all.size() - size));
    if (!n) return std::unexpected(n.error());
    if (*n == 0) break;
    size += *n;
  }
  all.resize(size);
  return all;
}
}  // namespace
result<std::string> request::read_all() { return read_whole(*exchange_, nullptr); }
result<std::string> request::read_all(const context& ctx) { return read_whole(*exchange_, &ctx); }

}  // namespace weft::http
