// A connection with the request that it serves now: what request, response and websocket are the faces of.
//
// Invariants
// 1. Bytes of the client's are in `in` until the parser, or the WebSocket, has taken them. What follows a request there
//    is the next one.
// 2. The header goes out once. Until then the body lies in `out`; `out` never holds more than k_buffer.
// 3. `broken`: the stream is not where the protocol has it, and nothing more is to be sent on it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include "runtime/http/input.hpp"
#include "runtime/http/parser.hpp"
#include "runtime/http/router.hpp"
#include "runtime/http/watch.hpp"
#include "weft/http/websocket.hpp"

namespace weft::http::detail {

// One serve().
struct service {
  const server_options& options;
  const router& routes;
  context working;                    // cancelled when the draining is over
  context waiting;                    // cancelled when idle connections are to go
  std::atomic<bool> draining{false};  // a hint: the contexts decide
};

class frames;  // of a WebSocket

struct exchange {
  static constexpr std::size_t k_buffer = 4096;

  exchange(const service&, net::conn);
  ~exchange();

  const service& from;
  const server_options& options;
  net::conn conn;
  input in;
  parser parse;
  request asked{*this};
  response answer{*this};

  // The request.
  message head;
  std::string_view path, query;  // of head.target
  found route;
  std::optional<cancelable> scope;  // of its context
  std::optional<watch> watching;    // of its client
  std::uint64_t body_limit = 0, body_read = 0;
  bool awaits_continue = false;
  bool handling = false;
  std::error_code body_error;

  // The response.
  headers fields;
  int status = 200;
  bool touched = false;  // the handler has said something
  bool header_sent = false, chunking = false, keep = false, broken = false;
  std::optional<std::uint64_t> length;  // as the handler has set it
  std::uint64_t written = 0;            // of the body
  std::uint64_t bytes_sent = 0;         // on the connection
  clock::duration patience = options.stall;
  std::string out, text;  // of the body; the header, and frames around the body
  std::unique_ptr<frames> upgraded;

  void begin();  // for the next request
  bool is_head() const noexcept { return head.method == "HEAD"; }
  bool bodyless() const noexcept { return is_head() || status == 204 || status == 304; }

  // `ctx` null: the bound one.
  result<std::size_t> receive(const context* ctx, mutable_bytes into);
  result<std::size_t> fill(const context* ctx, std::size_t most);  // `in`; 0: the end of the stream
  // All of it, in pieces for each of which the client has `patience`.
  result<void> send(const context* ctx, std::span<const_bytes> pieces);

  result<std::size_t> read_body(const context* ctx, mutable_bytes into);
  // What is left of the body, as far as it has come; true if that is all.
  bool skip_body();
  // The same with waiting, within reason.
  bool drain_body();

  result<std::size_t> write_body(const context* ctx, const_bytes from);
  result<void> flush(const context* ctx);
  bool falls_short() noexcept;  // of the Content-Length that the handler has set
  void finish();                // the handler has returned
  result<void> send_again();    // of a whole answer of which nothing has been sent
  void say(int code, std::string_view body);

  static exchange& of(const request& q) noexcept { return *q.exchange_; }
  static exchange& of(const response& r) noexcept { return *r.exchange_; }

 private:
  std::error_code fail_body(std::error_code e) noexcept;
  result<std::size_t> take_body(const context* ctx, mutable_bytes into);
  void settle_keep(bool whole);
  void write_header(std::optional<std::uint64_t> body_size);
  void add_date();
  result<void> start_stream(const context* ctx);
  result<void> send_body(const context* ctx, const_bytes from, bool last);

  std::time_t dated_ = 0;
  std::string date_;
};

}  // namespace weft::http::detail
