// weft::http::server: accepting, and the three steps of the end.
//
// Two contexts tell connections how far things are. `waiting` is what they wait for a request under: it ends
// drain_idle after the stop. `working` is what they serve one under: it ends when the draining does.
#include "weft/http/server.hpp"

#include <algorithm>

#include "runtime/http/connection.hpp"
#include "weft/wait_group.hpp"

namespace weft::http {
namespace {

void serve_one(const detail::service& s, net::conn c) {
  try {
    detail::connection(s, std::move(c)).run();
  } catch (const canceled&) {
    throw;
  } catch (...) {
    detail::report(s.options, nullptr, std::current_exception());
  }
}

bool all_end(wait_group& connections, clock::duration within) {
  const cancelable bounded = with_timeout(background(), within);
  return connections.wait(bounded.ctx).has_value();
}

}  // namespace

struct server::state {
  server_options options;
  detail::router routes;
};

server::server(server_options o) : state_(std::make_unique<state>()) { state_->options = std::move(o); }
server::~server() = default;

void server::handle(std::string_view pattern, handler h) { state_->routes.add(pattern, std::move(h)); }

result<void> server::serve(const context& stop, const net::listener& l) const {
  const server_options& options = state_->options;
  auto [working, end_working] = with_cancel(without_cancel(stop));
  auto [waiting, end_waiting] = with_cancel(working);
  detail::service s{options, state_->routes, working, waiting};
  wait_group connections;
  const shield_scope unhurt;  // nothing here ends but by `stop` and the contexts given
  std::error_code why;
  for (;;) {
    result<net::conn> c = l.accept(stop);
    if (c)
      connections.go(waiting, [&s, c = std::move(*c)]() mutable { serve_one(s, std::move(c)); });
    else if (stop.err() || c.error() != std::errc::connection_aborted) {
      if (!stop.err()) why = c.error();
      break;
    }
  }
  s.draining.store(true, std::memory_order_relaxed);
  static_cast<void>(l.close());
  const clock::duration idle = std::min(options.drain_idle, options.drain);
  if (!all_end(connections, idle)) {
    end_waiting();
    if (!all_end(connections, options.drain - idle) && !why) why = errc::deadline_exceeded;
  }
  end_waiting();
  end_working();
  connections.wait();
  if (why) return std::unexpected(why);
  return {};
}

}  // namespace weft::http
