// Passes each connection on to another address, both ways, until SIGTERM or Ctrl-C: then it accepts no more, gives the
// connections a second to finish, and cancels those that are left.
//
//   port_forward FROM TO        two of HOST:PORT; port 0 takes one that is free
#include <csignal>
#include <cstdio>
#include <string>
#include <weft/io.hpp>
#include <weft/net.hpp>
#include <weft/weft.hpp>

using namespace std::chrono_literals;
using namespace weft;

namespace {

constexpr auto k_grace = 1s;
constexpr auto k_dial_patience = 10s;

// One direction, to its end, which the other side is told of. An error of either side is the error of both.
result<void> pass_on(const net::conn& to, const net::conn& from) {
  if (const auto n = io::copy(to, from); !n) return std::unexpected(n.error());
  return to.close_write();
}

// The fiber is bound to a context: when that ends, whatever waits throws, and both connections are closed on the way
// out.
void forward(const net::conn& client, const std::string& where) {
  const auto server = net::dial(with_timeout(this_fiber::context(), k_dial_patience).ctx, "tcp", where);
  if (!server) {
    std::fprintf(stderr, "port_forward: dial %s: %s\n", where.c_str(), server.error().message().c_str());
    return;
  }
  static_cast<void>(all([&] { return pass_on(*server, client); }, [&] { return pass_on(client, *server); }));
}

int serve(const char* from, const std::string& to) {
  auto [stop, unregister] = signals::notify_context(background(), {SIGTERM, SIGINT});
  const auto l = net::listen("tcp", from);
  if (!l) {
    std::fprintf(stderr, "port_forward: listen %s: %s\n", from, l.error().message().c_str());
    return 1;
  }
  std::printf("listening on %s\n", l->local_address().to_string().c_str());
  std::fflush(stdout);

  auto [serving, end_serving] = with_cancel(background());
  wait_group connections;
  while (auto c = l->accept(stop)) connections.go(serving, [c = std::move(*c), &to] { forward(c, to); });

  unregister();  // a second signal ends the process at once
  static_cast<void>(l->close());
  const bool finished = connections.wait(with_timeout(background(), k_grace).ctx).has_value();
  end_serving();
  connections.wait();
  std::puts(finished ? "all connections have ended" : "the last connections were cancelled");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: port_forward FROM TO     two of HOST:PORT\n", stderr);
    return 2;
  }
  return run([argv] { return serve(argv[1], argv[2]); });
}
