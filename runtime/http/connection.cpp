#include "runtime/http/connection.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "runtime/http/frames.hpp"
#include "runtime/http/text.hpp"
#include "weft/fiber.hpp"

namespace weft::http::detail {
namespace {

// For an answer when the draining is over.
constexpr auto k_last_words = std::chrono::seconds(1);
// For the rest of what a client sends that has been answered.
constexpr std::chrono::milliseconds k_linger(5000), k_linger_stopped(500);

std::string line_of(int status, std::string_view why) {
  std::string text = std::to_string(status) + ' ' + std::string(reason_of(status));
  if (!why.empty()) (text += ": ") += why;
  return text + '\n';
}

}  // namespace

void connection::run() {
  this_fiber::set_name("http connection");
  const cancelable waiting = with_cancel(exchange_.from.waiting), working = with_cancel(exchange_.from.working);
  const bind_scope idle{waiting.ctx};
  clock::duration patience = exchange_.options.first_byte;
  const auto serve = [&] {
    const bind_scope busy{working.ctx};
    return serve_one(working.ctx);
  };
  while (await_request(patience)) {
    if (!serve()) break;
    patience = exchange_.options.idle;
  }
  if (!lingers_) return;
  // Idle, as far as a stop is concerned; but one that has come already does not cut it off.
  if (!exchange_.from.draining.load(std::memory_order_relaxed)) return linger(k_linger);
  const bind_scope busy{working.ctx};
  linger(k_linger_stopped);
}

bool connection::await_request(clock::duration patience) {
  if (!exchange_.in.empty()) return true;
  exchange_.conn.set_read_deadline(clock::now() + patience);
  return exchange_.fill(nullptr, exchange::k_buffer).value_or(0) != 0;
}

bool connection::serve_one(const context& working) {
  exchange& e = exchange_;
  e.begin();
  if (!read_header()) return false;
  split_target();
  if (answer_without_handler())
    finish();
  else
    run_handler(working);
  if (e.upgraded != nullptr || e.broken) return false;
  if (e.keep && !e.parse.done()) e.keep = e.drain_body();
  lingers_ = !e.keep && (!e.parse.done() || !e.in.empty());
  return e.keep;
}

bool connection::read_header() {
  exchange& e = exchange_;
  const clock::time_point until = clock::now() + e.options.header;
  bool before = true;  // its first line
  for (bool bounded = false; !e.parse.header_done();) {
    // An empty line before a request is some clients' way of ending the one before.
    const bool half_a_line = before && e.in.view() == "\r";
    if (before && e.in.view().starts_with("\r\n")) e.in.consume(2);
    before &= half_a_line;
    const std::size_t n = e.in.empty() || half_a_line ? 0 : e.parse.take_header(e.in.view());
    e.in.consume(n);
    if (const refusal& r = e.parse.refused(); r.status != 0) return refuse(r.status, r.text), false;
    if (n != 0) continue;
    if (!bounded) e.conn.set_read_deadline(until);
    bounded = true;
    const result<std::size_t> got = e.fill(nullptr, e.options.header_limit);
    if (!got && got.error() == std::errc::no_buffer_space) return refuse(431, "the header is too long"), false;
    if (!got && got.error() == errc::deadline_exceeded) return refuse(408, "the header came too slowly"), false;
    if (got.value_or(0) == 0) return false;
  }
  const headers& f = e.head.fields;
  if (f.has("Expect")) {
    if (!same_word(f.get("Expect"), "100-continue")) return refuse(417, {}), false;
    e.awaits_continue = e.head.minor == 1 && !e.parse.done();
  }
  return true;
}

// Where the request ends is not known: nothing that follows can be understood.
void connection::refuse(int status, std::string_view why) {
  exchange& e = exchange_;
  lingers_ = true;
  e.fields.set("Connection", "close");
  e.head.method.clear();  // an answer to no request of a kind that has none
  e.head.minor = 1;
  e.say(status, line_of(status, why));
  finish();
}

void connection::split_target() {
  exchange& e = exchange_;
  std::string_view t = e.head.target;
  for (const std::string_view scheme : {"http://", "https://"})
    if (t.size() > scheme.size() && same_word(t.substr(0, scheme.size()), scheme)) {
      t.remove_prefix(scheme.size());
      t.remove_prefix(std::min(t.find_first_of("/?"), t.size()));
      if (!t.starts_with('/')) t = "/";
      break;
    }
  const std::size_t mark = t.find('?');
  e.path = t.substr(0, mark);
  e.query = mark == std::string_view::npos ? std::string_view() : t.substr(mark + 1);
}

bool connection::answer_without_handler() {
  exchange& e = exchange_;
  e.from.routes.find(e.head.method, e.path, e.route);
  if (e.route.way != nullptr) return false;
  int status = 404;
  if (e.route.malformed) {
    status = 400;
  } else if (!e.route.redirect.empty()) {
    status = 308;
    if (!e.query.empty()) (e.route.redirect += '?') += e.query;
    e.fields.set("Location", e.route.redirect);
  } else if (!e.route.allow.empty()) {
    status = 405;
    e.fields.set("Allow", e.route.allow);
  }
  e.say(status, line_of(status, {}));
  return true;
}

void connection::run_handler(const context& working) {
  exchange& e = exchange_;
  const bool bounded = e.options.handler > clock::duration::zero();
  e.scope = bounded ? with_timeout(working, e.options.handler) : with_cancel(working);
  e.watching.emplace();
  e.handling = true;
  if (e.parse.done() && !e.options.half_close) e.watching->start(e.conn, *e.scope);
  std::exception_ptr thrown;
  bool unwound = false;
  try {
    const bind_scope bound{e.scope->ctx};
    e.route.way->run(e.asked, e.answer);
  } catch (const canceled&) {
    unwound = true;
  } catch (...) {
    thrown = std::current_exception();
  }
  e.handling = false;
  unwound |= !e.touched && e.scope->ctx.err();
  e.scope->cancel();
  e.watching->stop();
  if (thrown != nullptr) report(e.options, &e.head, thrown);
  if (e.upgraded != nullptr)
    end_websocket(unwound || thrown != nullptr);
  else
    conclude(thrown != nullptr, unwound);
  e.watching.reset();
  e.scope.reset();
}

void connection::conclude(bool failed, bool unwound) {
  exchange& e = exchange_;
  if (failed || unwound) {
    e.broken |= e.header_sent || (!failed && e.watching->client_left());
    replace(failed ? 500 : 503);
  } else if (e.falls_short()) {
    const auto* const why = "the response falls short of its Content-Length";
    report(e.options, &e.head, std::make_exception_ptr(std::length_error(why)));
    e.broken |= e.header_sent;
    replace(500);
  } else if (e.body_error && !e.touched) {
    e.broken |= e.body_error == std::errc::connection_aborted;
    replace(e.body_error == std::errc::message_size ? 413 : e.body_error == errc::deadline_exceeded ? 408 : 400);
  }
  if (!e.broken) finish();
}

// In place of what the handler may have said and not sent.
void connection::replace(int status) {
  if (exchange_.broken) return;
  exchange_.fields.clear();
  exchange_.say(status, line_of(status, {}));
}

// A whole answer goes out even if the draining is over before it does: to a client that takes it.
void connection::finish() {
  exchange& e = exchange_;
  const std::uint64_t before = e.bytes_sent;
  try {
    return e.finish();
  } catch (const canceled&) {
    if (e.bytes_sent != before || e.chunking) throw;
  }
  const shield_scope unhurt;
  e.patience = k_last_words;
  e.broken = false;
  static_cast<void>(e.send_again());
}

void connection::end_websocket(bool cut_short) {
  const shield_scope unhurt;
  exchange_.patience = k_last_words;
  static_cast<void>(exchange_.upgraded->close(nullptr, cut_short ? 1001 : 1000, {}));
  lingers_ = true;
}

// So that the client reads the answer before it hears that what it sends is not wanted.
void connection::linger(clock::duration patience) {
  const net::conn& c = exchange_.conn;
  if (!c.close_write()) return;
  c.set_read_deadline(clock::now() + patience);
  std::array<char, 4096> nowhere;
  while (c.read(nowhere).value_or(0) != 0) {
  }
}

void report(const server_options& options, const message* asked, const std::exception_ptr& error) noexcept {
  try {
    failure f;
    f.error = error;
    if (asked != nullptr) f = {asked->method, asked->target, error};
    if (options.on_failure) return options.on_failure(f);
    std::string text = "a connection";
    if (asked != nullptr) text = f.method + ' ' + f.target;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& x) {
      (text += ": ") += x.what();
    } catch (...) {
      text += ": an exception that is no std::exception";
    }
    std::fprintf(stderr, "weft: http: %s\n", text.c_str());
  } catch (...) {  // there is no memory for it
  }
}

}  // namespace weft::http::detail
