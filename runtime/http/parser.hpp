// From bytes to a request: Boost.Beast's parser, which parser.cpp alone includes, and what it leaves to its user.
//
// Invariants
// 1. A message whose length can be read in two ways is refused: Content-Length beside Transfer-Encoding, different or
//    listed lengths, any coding but chunked, chunked in HTTP/1.0.
// 2. Nothing is kept of the bytes that were taken: names and values are copied.
// 3. Fields behind the header are trailers. They go into a list of their own, and change nothing of what the header
//    said.
//
// Rejected: Beast's own reading from a stream, which takes no context; and its WebSocket stream, whose timer wants an
// execution context of Asio's, with a thread and an epoll descriptor of its own.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "weft/bytes.hpp"
#include "weft/http/headers.hpp"

namespace weft::http::detail {

// What a request says besides its body.
struct message {
  std::string method, target;
  int minor = 1;
  headers fields, trailers;
  bool chunked = false;
  std::optional<std::uint64_t> length;
  void clear() noexcept;
};

// Why a request is refused.
struct refusal {
  int status = 0;  // 0: it is not
  std::string text;
};

class parser {
 public:
  parser();
  ~parser();

  void begin(message& into, std::size_t header_limit);
  // Both take from the front of the bytes and say how many; those have to go before the next call. None taken and not
  // at the end: more is needed, unless it was refused.
  std::size_t take_header(std::string_view from);
  // The header is complete first. `given`: how much of the body went to `into`, which may be where the bytes are.
  std::size_t take_body(std::string_view from, mutable_bytes into, std::size_t& given);

  bool header_done() const noexcept;
  bool done() const noexcept;
  const refusal& refused() const noexcept;
  std::uint64_t length_left() const noexcept;  // of a body with a length

 private:
  struct machine;
  std::unique_ptr<machine> machine_;
};

}  // namespace weft::http::detail
