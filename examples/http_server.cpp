// An HTTP server that stops gracefully on SIGTERM or Ctrl-C: it accepts no more, finishes what it has begun, for two
// seconds at most, and cancels the rest.
//
//   http_server [HOST:PORT]     default: 127.0.0.1:8080; port 0 takes one that is free
//
//   curl localhost:8080/hello/you
//   curl localhost:8080/slow/5              takes so many seconds, or ends when the client leaves
//   curl -N localhost:8080/count/3          a number every 100 ms, each as soon as it is known
//   curl -T FILE localhost:8080/upload      the size and a checksum, whatever the size
//   a WebSocket at /echo                    says back what it hears
#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <weft/http.hpp>
#include <weft/weft.hpp>

using namespace std::chrono_literals;
using namespace weft;

namespace {

constexpr auto k_grace = 2s;

int number_in(std::string_view text) {
  int n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

void hello(http::request& q, http::response& r) { r.text(200, "hello, " + std::string(q.value("name")) + '\n'); }

// No word about the client: the fiber is bound to the request's context, so when the client leaves the sleep throws,
// and what is on the stack is cleared up.
void slow(http::request& q, http::response& r) {
  bool finished = false;
  std::fputs("slow: begun\n", stderr);
  const defer say([&] { std::fprintf(stderr, "slow: %s\n", finished ? "finished" : "the client has left"); });
  this_fiber::sleep_for(std::chrono::seconds(number_in(q.value("seconds"))));
  finished = true;
  r.text(200, "done\n");
}

void count(http::request& q, http::response& r) {
  r.fields().set("Content-Type", "text/plain");
  const int n = number_in(q.value("n"));
  for (int i = 1; i <= n; ++i) {
    if (i > 1) this_fiber::sleep_for(100ms);
    if (!r.write(std::to_string(i) + '\n') || !r.flush()) return;
  }
}

void upload(http::request& q, http::response& r) {
  q.limit_body(1ull << 40);
  std::array<unsigned char, 16 << 10> some;
  std::uint64_t size = 0, sum = 0;
  for (;;) {
    const auto n = q.read(some);
    if (!n) return;  // the server answers what went wrong
    if (*n == 0) break;
    size += *n;
    for (std::size_t i = 0; i < *n; ++i) sum += some[i];
  }
  r.text(200, std::to_string(size) + " bytes, sum " + std::to_string(sum) + '\n');
}

void echo(http::request& q, http::response& r, const context& stop) {
  auto ws = http::accept_websocket(q, r);
  if (!ws) return;  // the response says why
  for (;;) {
    const auto m = ws->read(stop);
    if (!m) {
      if (m.error() == errc::canceled) static_cast<void>(ws->close(1001, "the server stops"));
      return;
    }
    if (!ws->write(*m)) return;
  }
}

int serve(const char* where) {
  auto [stop, unregister] = signals::notify_context(background(), {SIGTERM, SIGINT});
  const auto l = net::listen("tcp", where);
  if (!l) {
    std::fprintf(stderr, "http_server: listen %s: %s\n", where, l.error().message().c_str());
    return 1;
  }
  std::printf("listening on %s\n", l->local_address().to_string().c_str());
  std::fflush(stdout);

  http::server_options options;
  options.drain = k_grace;
  http::server server(std::move(options));
  server.handle("GET /hello/{name}", hello);
  server.handle("GET /slow/{seconds}", slow);
  server.handle("GET /count/{n}", count);
  server.handle("PUT /upload", upload);
  server.handle("POST /upload", upload);
  server.handle("GET /echo", [&](http::request& q, http::response& r) { echo(q, r, stop); });
  const auto served = server.serve(stop, *l);
  if (served)
    std::puts("all requests have been answered");
  else
    std::printf("not all requests have been answered: %s\n", served.error().message().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const char* where = argc > 1 ? argv[1] : "127.0.0.1:8080";
  if (argc > 2 || where[0] == '-') {
    std::fprintf(stderr, "usage: http_server [HOST:PORT]   (default: 127.0.0.1:8080)\n");
    return 2;
  }
  return run([where] { return serve(where); });
}
