// An HTTP/1.1 server on weft's network, with WebSockets. CMake: weft::http.
//
//   http::server s;
//   s.handle("GET /items/{id}", [](http::request& q, http::response& r) { r.text(200, q.value("id")); });
//   auto [stop, unregister] = signals::notify_context(background(), {SIGTERM, SIGINT});
//   auto done = s.serve(stop, unwrap(net::listen("tcp", ":8080")));
#pragma once
#include "weft/http/headers.hpp"    // IWYU pragma: export
#include "weft/http/request.hpp"    // IWYU pragma: export
#include "weft/http/response.hpp"   // IWYU pragma: export
#include "weft/http/server.hpp"     // IWYU pragma: export
#include "weft/http/websocket.hpp"  // IWYU pragma: export
