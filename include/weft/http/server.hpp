// The server: routes, limits, and the way from its first connection to its last.
#pragma once
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "weft/context.hpp"
#include "weft/error.hpp"
#include "weft/http/request.hpp"
#include "weft/http/response.hpp"
#include "weft/net.hpp"
#include "weft/time.hpp"

namespace weft::http {

// A handler that ended by an exception, or a connection's fiber that did.
struct failure {
  std::string method, target;  // empty: outside of a handler
  std::exception_ptr error;
};

struct server_options {
  std::size_t header_limit = 64 << 10;     // bytes of request line and fields; beyond: 431, or 414
  std::uint64_t body_limit = 10ull << 20;  // bytes that a handler may read; beyond: 413
  clock::duration first_byte = 10s;        // of a new connection; then it is closed
  clock::duration header = 10s;            // from a request's first byte to the end of its header; then 408
  clock::duration idle = 120s;             // between two requests; then it is closed
  clock::duration stall = 30s;             // for how long a client may neither send of its body nor take of its answer
  clock::duration handler = 0s;            // for the handler, by its context; then 503. 0: no deadline
  clock::duration drain = 20s;             // from the stop until what is unfinished is cancelled
  // From the stop until idle connections are closed: for requests that are on their way when it comes.
  clock::duration drain_idle = 200ms;
  // A client that ends its stream has gone away, as in Go. True: it waits for its answer, and only the writing tells
  // that it has gone.
  bool half_close = false;
  // Told of each failure, from any fiber; null: a line on standard error. Must not throw.
  std::move_only_function<void(const failure&) const> on_failure{};
};

// Runs in the connection's fiber, bound to request::ctx(), with the stack size of the run. When it returns the response
// is complete. `canceled` may pass: if nothing was sent the client is told 503, unless it has left. Any other exception
// is a failure: 500 if nothing was sent, else the connection is cut, so that nobody takes the answer for whole.
using handler = std::move_only_function<void(request&, response&) const>;

// HTTP/1.1 and 1.0. Keeps connections alive, answers pipelined requests in order. Requests that are malformed, or whose
// length could be read in two ways, are refused with 400 and the connection is closed.
class WEFT_API server {
 public:
  explicit server(server_options = {});
  ~server();  // after every serve() has returned
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  // "[METHOD ]/path", as Go's ServeMux has it since 1.22, without hosts. {name} stands for one segment, {name...} at
  // the end for all that is left, {$} at the end for nothing; a path that ends in a slash stands for all below it. GET
  // serves HEAD too. The more specific pattern wins, whatever the order. No pattern for the path: 404; none for the
  // method: 405 with Allow. A path with "//", "." or ".." in it is redirected to the one without (308), and "/tree" to
  // "/tree/" where only that is there.
  //
  // Before serve(). Throws std::invalid_argument for a pattern that is none, or that conflicts with one that is there:
  // both match some request, and neither is more specific.
  void handle(std::string_view pattern, handler h);

  // Accepts connections and serves each in a fiber of its own, until `stop` is cancelled. Then closes the listener,
  // ends idle connections and finishes what has been begun, for at most `drain`; cancels what is left then, and waits
  // for it. Every request of which a byte has been read by then is answered, if its client lets it be, and each answer
  // says Connection: close when it is the last.
  //
  // {}: all was finished in time. errc::deadline_exceeded: something had to be cancelled. Else the error of accept.
  // Blocks until all of its fibers have ended. Not a cancellation point but for `stop`, whose values requests' contexts
  // have. May be called for several listeners at a time.
  result<void> serve(const context& stop, const net::listener& l) const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace weft::http
