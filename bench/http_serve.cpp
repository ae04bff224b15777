#include "bench/http_serve.hpp"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <string>
#include <weft/http.hpp>
#include <weft/weft.hpp>

namespace bench {

using namespace weft;

int serve_http() {
  return run([] {
    std::atomic<long> handled{0};
    http::server server;
    server.handle("GET /hello/{name}", [&](http::request& q, http::response& r) {
      handled.fetch_add(1, std::memory_order_relaxed);
      r.text(200, "hello, " + std::string(q.value("name")) + '\n');
    });
    auto [stop, unregister] = signals::notify_context(background(), {SIGTERM});
    const auto l = unwrap(net::listen("tcp", "127.0.0.1:0"));
    std::printf("%d\n", l.local_address().port());
    std::fflush(stdout);
    const bool finished = server.serve(stop, l).has_value();
    std::printf("%ld\n", handled.load());
    return finished ? 0 : 1;
  });
}

}  // namespace bench
