// What is common to both directions of an exchange.
#include "runtime/http/exchange.hpp"

#include <algorithm>

#include "runtime/http/frames.hpp"

namespace weft::http::detail {
namespace {

// A deadline counts for so much at a time.
constexpr std::size_t k_piece = 256 << 10;

}  // namespace

exchange::exchange(const service& s, net::conn c) : from(s), options(s.options), conn(std::move(c)) {}
exchange::~exchange() = default;

void exchange::begin() {
  parse.begin(head, options.header_limit);
  path = query = {};
  route.clear();
  body_limit = options.body_limit;
  body_read = 0;
  awaits_continue = handling = false;
  body_error.clear();
  fields.clear();
  status = 200;
  touched = header_sent = chunking = keep = false;
  length.reset();
  written = 0;
  out.clear();
}

result<std::size_t> exchange::receive(const context* ctx, mutable_bytes into) {
  return ctx == nullptr ? conn.read(into) : conn.read(*ctx, into);
}

result<std::size_t> exchange::fill(const context* ctx, std::size_t most) {
  const mutable_bytes room = in.room(most);
  if (room.size() == 0) return std::unexpected(std::make_error_code(std::errc::no_buffer_space));
  const result<std::size_t> n = receive(ctx, room);
  if (n) in.filled(*n);
  return n;
}

result<void> exchange::send(const context* ctx, std::span<const_bytes> pieces) {
  if (broken) return std::unexpected(std::make_error_code(std::errc::broken_pipe));
  broken = true;  // unless all of it goes out
  while (!pieces.empty()) {
    const_bytes& first = pieces.front();
    if (first.size() == 0) {
      pieces = pieces.subspan(1);
      continue;
    }
    conn.set_write_deadline(clock::now() + patience);
    result<std::size_t> n = 0;
    if (first.size() > k_piece) {
      const const_bytes part(first.data(), k_piece);
      n = ctx == nullptr ? conn.write(part) : conn.write(*ctx, part);
    } else {
      std::size_t count = 1;
      while (count < pieces.size() && pieces[count].size() <= k_piece) ++count;
      const auto some = pieces.first(count);
      n = ctx == nullptr ? conn.write(some) : conn.write(*ctx, some);
    }
    if (!n) return std::unexpected(n.error());
    bytes_sent += *n;
    for (std::size_t left = *n; left != 0;) {
      const_bytes& p = pieces.front();
      const std::size_t of_this = std::min(left, p.size());
      p = {static_cast<const char*>(p.data()) + of_this, p.size() - of_this};
      left -= of_this;
      if (p.size() == 0) pieces = pieces.subspan(1);
    }
  }
  broken = false;
  return {};
}

}  // namespace weft::http::detail
