// Echoes what each connection sends, until SIGTERM or Ctrl-C: then it accepts no more, gives the connections a second
// to finish, and cancels those that are left.
//
//   echo_server [HOST:PORT]     default: 127.0.0.1:7007; port 0 takes one that is free
#include <array>
#include <csignal>
#include <cstdio>
#include <weft/net.hpp>
#include <weft/weft.hpp>

using namespace std::chrono_literals;

namespace {

constexpr auto k_grace = 1s;

// The fiber is bound to a context: when that ends, read and write throw, and the connection is closed on the way out.
void echo(const weft::net::conn& c) {
  std::array<char, 4096> buffer;
  for (;;) {
    const auto n = c.read(buffer);
    if (!n || *n == 0) return;
    if (!c.write(weft::const_bytes(buffer.data(), *n))) return;
  }
}

int serve(const char* where) {
  auto [stop, unregister] = weft::signals::notify_context(weft::background(), {SIGTERM, SIGINT});
  const auto l = weft::net::listen("tcp", where);
  if (!l) {
    std::fprintf(stderr, "echo_server: listen %s: %s\n", where, l.error().message().c_str());
    return 1;
  }
  std::printf("listening on %s\n", l->local_address().to_string().c_str());
  std::fflush(stdout);

  auto [serving, end_serving] = weft::with_cancel(weft::background());
  weft::wait_group connections;
  while (auto c = l->accept(stop)) connections.go(serving, [c = std::move(*c)] { echo(c); });

  unregister();  // a second signal ends the process at once
  static_cast<void>(l->close());
  const bool finished = connections.wait(weft::with_timeout(weft::background(), k_grace).ctx).has_value();
  end_serving();
  connections.wait();
  std::puts(finished ? "all connections have ended" : "the last connections were cancelled");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const char* where = argc > 1 ? argv[1] : "127.0.0.1:7007";
  return weft::run([where] { return serve(where); });
}
