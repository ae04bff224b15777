// One client's connection, from its first request to its last, in a fiber of its own.
#pragma once
#include <exception>

#include "runtime/http/exchange.hpp"

namespace weft::http::detail {

class connection {
 public:
  connection(const service& s, net::conn c) : exchange_(s, std::move(c)) {}

  // Until the client or the protocol ends it. `canceled` comes out when the service's contexts do so.
  void run();

 private:
  bool await_request(clock::duration patience);
  bool serve_one(const context& working);
  bool read_header();
  void refuse(int status, std::string_view why);
  void split_target();
  // The response of a request that has no handler; false: it has one.
  bool answer_without_handler();
  void run_handler(const context& working);
  void conclude(bool failed, bool unwound);
  void replace(int status);
  void finish();
  void end_websocket(bool cut_short);
  void linger(clock::duration patience);

  exchange exchange_;
  bool lingers_ = false;  // the client may still be sending, and would lose its answer to a reset
};

// To the hook, or as a line to standard error.
void report(const server_options&, const message*, const std::exception_ptr&) noexcept;

}  // namespace weft::http::detail
