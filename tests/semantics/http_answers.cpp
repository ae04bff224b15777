// What the HTTP server answers: routes, bodies of all kinds, WebSockets.
#include <array>
#include <string>
#include <tuple>

#include "tests/support/http.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using http::request;
using http::response;
using test::client;
using test::expect;
using test::get;
using test::in_fiber;
using test::need;
using test::post;
using test::site;

TEST_CASE("http: the narrowest pattern is taken, whatever the order") {
  in_fiber({1}, [](expect& e) {
    site s;
    for (const char* pattern :
         {"/", "/items/{id}", "GET /items/{id}", "GET /items/new", "POST /items", "/items/{id}/parts/{part}", "/tree/",
          "/tree/{rest...}/x", "/tree/deep/", "GET /exact/{$}", "/files/{path...}", "GET /a%2Fb/{x}",
          "DELETE /items/{id}", "GET /both/{x}", "HEAD /both/{x}", "PUT /box/{b}/{$}"}) {
      if (std::string_view(pattern) == "/tree/{rest...}/x") {
        e.throws<std::invalid_argument>([&] { s.server.handle(pattern, [](request&, response&) {}); });
        continue;
      }
      s.server.handle(pattern, [](request& q, response& r) {
        std::string text(q.pattern());
        for (const char* name : {"id", "part", "path", "x", "a", "b"})
          if (!q.value(name).empty()) ((text += ' ') += name) += '=' + std::string(q.value(name));
        r.text(200, text);
      });
    }
    for (const char* wrong : {"", "items", "GET", "GET  ", "G T /x", "/x/{", "/x/{}", "/x/{a}b", "/x/{a...}/b",
                              "/x/{$}/b", "/x//y", "/x/{a}/{a}", "/x/{1}", "/%zz", "/./x", "/items/{other}",
                              "GET /{a}/new", "/{x}/parts/{y}/z/", "HEAD /{x}/{y}"})
      if (std::string_view(wrong) != "/{x}/parts/{y}/z/")
        e.throws<std::invalid_argument>([&] { s.server.handle(wrong, [](request&, response&) {}); });
    s.start();
    client c(s.where);
    const auto ask = [&](std::string_view method, std::string_view path) {
      e(c.send(std::string(method) + ' ' + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n"));
      const auto a = c.read(method == "HEAD");
      if (a.status == 200) return method == "HEAD" ? "200" : a.body;
      const std::size_t at = std::min(a.head.find("Location: "), a.head.find("Allow: "));
      const std::string more = at == std::string::npos ? "" : a.head.substr(at, a.head.find("\r\n", at) - at);
      return std::to_string(a.status) + (more.empty() ? "" : ' ' + more);
    };
    for (const auto& [method, path, wanted] : {
             std::tuple("GET", "/items/7", "GET /items/{id} id=7"),
             {"GET", "/items/new", "GET /items/new"},
             {"POST", "/items/7", "/items/{id} id=7"},
             {"DELETE", "/items/7", "DELETE /items/{id} id=7"},
             {"HEAD", "/items/7", "200"},
             {"GET", "/items/a%2Fb%20c", "GET /items/{id} id=a/b c"},
             {"GET", "/items/7/parts/8?q=/x", "/items/{id}/parts/{part} id=7 part=8"},
             {"GET", "/items/7/parts/", "/"},
             {"GET", "/items/", "/"},
             {"POST", "/items", "POST /items"},
             {"GET", "/items", "/"},
             {"GET", "/tree/", "/tree/"},
             {"GET", "/tree/x/y", "/tree/"},
             {"GET", "/tree/deep", "/tree/"},
             {"GET", "/tree/deep/er", "/tree/deep/"},
             {"GET", "/exact/", "GET /exact/{$}"},
             {"GET", "/exact/x", "/"},
             {"GET", "/files/a/b%2e", "/files/{path...} path=a/b."},
             {"GET", "/files/", "/files/{path...}"},
             {"GET", "/a%2fb/1", "GET /a%2Fb/{x} x=1"},
             {"GET", "http://host/items/9", "GET /items/{id} id=9"},
             {"GET", "/items//7", "308 Location: /items/7"},
             {"GET", "/items/../x/./y/", "308 Location: /x/y/"},
             {"GET", "/files/%2e%2e/%2E/etc?x=1", "308 Location: /etc?x=1"},
             {"GET", "/../..", "308 Location: /"},
             {"GET", "/.well-known/x", "/"},
         })
      e.equal(ask(method, path), std::string(wanted));
  });
}

TEST_CASE("http: no pattern for the path is 404, none for the method is 405 and says which there are") {
  in_fiber({1}, [](expect& e) {
    site s;
    const auto nothing = [](request&, response&) {};
    s.server.handle("GET /a/{x}", nothing);
    s.server.handle("POST /a/{x}", nothing);
    s.server.handle("PUT /a/b", nothing);
    s.server.handle("GET /only/below/", nothing);
    s.start();
    client c(s.where);
    const auto delete_b = c.ask("DELETE /a/b HTTP/1.1\r\nHost: x\r\n\r\n");
    e.equal(delete_b.status, 405);
    e(delete_b.has("Allow: GET, HEAD, POST, PUT"));
    e(c.ask("PUT /a/c HTTP/1.1\r\nHost: x\r\n\r\n").has("Allow: GET, HEAD, POST"));
    e.equal(c.ask(get("/a/b")).status, 200);  // by the wider one
    e.equal(c.ask(get("/a")).status, 404);
    e.equal(c.ask(get("/a/")).status, 404);
    e.equal(c.ask("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").status, 404);
    e(c.ask(get("/only/below?x")).has("Location: /only/below/?x"));
    e.equal(c.ask(post("/only/below", "")).status, 404);
  });
}

TEST_CASE("http: an answer has its length, or comes in chunks, or ends with the connection") {
  in_fiber({1, 4}, [](expect& e) {
    site s;
    const std::string long_text(100'000, 'x');
    s.server.handle("/short", [](request&, response& r) {
      test::ignore(r.write("one "));
      test::ignore(r.write("two"));
    });
    s.server.handle("/long", [&](request&, response& r) { test::ignore(r.write(long_text)); });
    s.server.handle("/sized", [&](request&, response& r) {
      r.fields().set("Content-Length", "100000");
      test::ignore(r.write(long_text));
    });
    s.server.handle("/flushed", [](request&, response& r) {
      for (const std::string_view part : {"one ", "two ", "three"}) {
        test::ignore(r.write(part));
        test::ignore(r.flush());
      }
    });
    s.server.handle("/empty", [](request&, response& r) { r.status(204); });
    s.server.handle("/flushed/empty", [](request&, response& r) { test::ignore(r.flush()); });
    s.start();
    client c(s.where);
    const auto ask = [&](std::string_view path) { return c.ask(get(path)); };
    e.equal(ask("/short").body, std::string("one two"));
    e(ask("/short").has("Content-Length: 7"));
    e(ask("/long").has("Transfer-Encoding: chunked"));
    e(ask("/long").body == long_text);
    e(ask("/sized").has("Content-Length: 100000"));
    e(ask("/sized").body == long_text);
    e.equal(ask("/flushed").body, std::string("one two three"));
    e.equal(ask("/flushed/empty").body, std::string());
    const auto empty = ask("/empty");
    e.equal(empty.status, 204);
    e(empty.head.find("Content-Length") == std::string::npos);
    for (const auto& [path, line] : {std::pair("/short", "Content-Length: 7"),
                                     {"/long", "Content-Length: 100000"},
                                     {"/sized", "Content-Length: 100000"}}) {
      e(c.send("HEAD " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n"));
      const auto a = c.read(true);
      e.equal(a.status, 200);
      e(a.has(line));
    }
    e.equal(ask("/short").status, 200);  // there was no body

    client kept(s.where);
    e(kept.ask("GET /short HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").has("Connection: keep-alive"));
    e.equal(kept.ask("GET /short HTTP/1.0\r\n\r\n").body, std::string("one two"));
    e(kept.at_end());
    client old(s.where);
    const auto a = old.ask("GET /long HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    e(a.head.find("Transfer-Encoding") == std::string::npos);
    e(a.body == long_text);
  });
}

TEST_CASE("http: a body is streamed both ways at a time") {
  in_fiber({1, 2, 4}, [](expect& e) {
    site s;
    s.server.handle("/copy", [](request& q, response& r) {
      test::ignore(r.flush());
      test::ignore(io::copy(r, q));
    });
    s.start();
    client c(s.where);
    constexpr std::size_t k_size = 1'000'000;
    e(c.send("POST /copy HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(k_size) + "\r\n\r\n"));
    auto sender = spawn([&] {
      std::vector<char> bytes(k_size);
      test::fill(bytes, 0);
      return c.conn.write(bytes).value_or(0);
    });
    const auto a = c.read();
    e.equal(sender.join(), k_size);
    e.equal(a.body.size(), k_size);
    e(test::right(a.body, 0));
    e(c.ask(post("/copy", "more")).body == "more");
  });
}

TEST_CASE("http: an exception in a handler is 500 and a report, or cuts what was begun; the server goes on") {
  in_fiber({1, 4}, [](expect& e) {
    auto options = site::patient();
    std::atomic<int> told{0};
    options.on_failure = [&](const http::failure& f) {
      try {
        std::rethrow_exception(f.error);
      } catch (const std::runtime_error& x) {
        told += f.method == "GET" && f.target == "/throws?x" && std::string_view(x.what()) == "no such luck";
      } catch (const std::logic_error&) {
        told += 100;
      } catch (int) {
        told += 10'000;
      }
    };
    site s(std::move(options));
    s.server.handle("/throws", [](request&, response& r) {
      r.fields().set("X-Not-Sent", "1");
      test::ignore(r.write("not sent"));
      throw std::runtime_error("no such luck");
    });
    s.server.handle("/late", [](request&, response& r) {
      test::ignore(r.write("half of"));
      test::ignore(r.flush());
      throw 7;
    });
    s.server.handle("/short", [](request&, response& r) {
      r.fields().set("Content-Length", "10");
      test::ignore(r.write("few"));
    });
    s.server.handle("/long", [&e](request&, response& r) {
      r.fields().set("Content-Length", "3");
      e(r.write("more").error() == std::errc::value_too_large);
      test::ignore(r.write("few"));
    });
    s.server.handle("/misused", [&e](request&, response& r) {
      e.throws<std::invalid_argument>([&] { r.fields().add("X", "a\r\nSet-Cookie: b"); });
      e.throws<std::invalid_argument>([&] { r.fields().add("X Y", "a"); });
      e.throws<std::invalid_argument>([&] { r.status(99); });
      test::ignore(r.flush());
      e.throws<std::logic_error>([&] { r.status(200); });
    });
    s.start();
    client c(s.where);
    for (int i = 0; i < 2; ++i) {
      const auto a = c.ask(get("/throws?x"));
      e.equal(a.status, 500);
      e(a.head.find("X-Not-Sent") == std::string::npos);
      e(a.body.find("luck") == std::string::npos);
    }
    e.equal(c.ask(get("/short")).status, 500);
    e.equal(c.ask(get("/long")).body, std::string("few"));
    e.equal(c.ask(get("/misused")).status, 200);
    e.equal(c.ask(get("/late")).status, 0);  // no last chunk
    e(c.at_end());
    e.equal(told.load(), 10'102);
  });
}

namespace {

// As a client sends it: masked.
std::string frame(int first, std::string_view text, bool masked = true) {
  std::string f(1, static_cast<char>(first));
  const char mask_bit = masked ? '\x80' : '\0';
  if (text.size() < 126) {
    f += static_cast<char>(mask_bit | static_cast<char>(text.size()));
  } else {
    f += static_cast<char>(mask_bit | 126);
    f += static_cast<char>(text.size() >> 8);
    f += static_cast<char>(text.size());
  }
  const std::string_view mask = "\x12\x34\x56\x78";
  if (masked) f += mask;
  for (std::size_t i = 0; i < text.size(); ++i) f += masked ? static_cast<char>(text[i] ^ mask[i % 4]) : text[i];
  return f;
}
std::string plain(int first, std::string_view text) { return frame(first, text, false); }
std::string code(int c, std::string_view reason = {}) {
  return std::string{static_cast<char>(c >> 8), static_cast<char>(c)} + std::string(reason);
}
const std::string k_upgrade =
    get("/ws",
        "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");

void add_echo(site& s, std::atomic<int>& closed) {
  s.server.handle("GET /ws", [&](request& q, response& r) {
    auto ws = http::accept_websocket(q, r, {.message_limit = 1000});
    if (!ws) return;
    for (;;) {
      const auto m = ws->read();
      if (!m) {
        closed += m.error() == errc::closed;
        return;
      }
      if (m->data == "leave") return test::ignore(ws->close(4000, "as you wish"));
      test::ignore(ws->write(*m));
    }
  });
}

}  // namespace

TEST_CASE("http: a WebSocket echoes: whole, in pieces, with pings between them, and closes") {
  in_fiber({1, 4}, [](expect& e) {
    site s;
    std::atomic<int> closed{0};
    add_echo(s, closed);
    s.start();
    client c(s.where);
    const std::string large(900, 'x');
    // All of it may lie behind the request already.
    e(c.send(k_upgrade + frame(0x81, "hello") + frame(0x82, large)));
    const auto a = c.read();
    e.equal(a.status, 101);
    e(a.has("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));  // RFC 6455's own example
    e(c.take(7) == plain(0x81, "hello"));
    e(c.take(904) == plain(0x82, large));
    e(c.dribble(frame(0x01, "one ") + frame(0x00, "") + frame(0x89, "there?") + frame(0x00, "two ") + frame(0x8a, "") +
                frame(0x80, "\xe2\x82\xac")));
    e(c.take(8) == plain(0x8a, "there?"));
    e(c.take(13) == plain(0x81, "one two \xe2\x82\xac"));
    e(c.send(frame(0x88, code(1000, "bye"))));
    e(c.rest() == plain(0x88, code(1000)));
    client leaver(s.where);
    e(leaver.send(k_upgrade + frame(0x81, "leave")));
    e.equal(leaver.read().status, 101);
    e(leaver.rest() == plain(0x88, code(4000, "as you wish")));
    e(s.stop().has_value());
    e.equal(closed.load(), 1);
  });
}

TEST_CASE("http: who breaks the WebSocket's rules is told how; who asks wrongly gets a 4xx") {
  in_fiber({1}, [](expect& e) {
    site s;
    std::atomic<int> closed{0};
    add_echo(s, closed);
    s.start();
    for (const auto& [bytes, wanted] : {std::pair(frame(0x81, "not masked", false), 1002),
                                        {frame(0xc1, "reserved"), 1002},
                                        {frame(0x83, "no such kind"), 1002},
                                        {frame(0x80, "of nothing"), 1002},
                                        {frame(0x01, "one") + frame(0x81, "another"), 1002},
                                        {frame(0x09, "a ping in parts"), 1002},
                                        {frame(0x89, std::string(126, 'x')), 1002},
                                        {frame(0x81, "\xc0\x80"), 1007},
                                        {frame(0x81, "\xed\xa0\x80"), 1007},
                                        {frame(0x81, "\xe2\x82"), 1007},
                                        {frame(0x81, "\xf4\x90\x80\x80"), 1007},
                                        {frame(0x82, std::string(1001, 'x')), 1009},
                                        {frame(0x02, std::string(600, 'x')) + frame(0x80, std::string(600, 'x')), 1009},
                                        {frame(0x88, "x"), 1002},
                                        {frame(0x88, code(1005)), 1002},
                                        {frame(0x88, code(999)), 1002},
                                        {frame(0x88, code(1000, "\xff")), 1007}}) {
      client c(s.where);
      e(c.send(k_upgrade + bytes));
      e.equal(c.read().status, 101);
      if (const std::string got = c.rest(); got != plain(0x88, code(wanted)))
        e.equal(bytes + '>' + got, std::to_string(wanted));
    }
    client empty(s.where);
    e(empty.send(k_upgrade + frame(0x88, "")));
    e.equal(empty.read().status, 101);
    e(empty.rest() == plain(0x88, ""));
    const auto without = [](std::string_view what, std::string_view instead) {
      std::string bytes = k_upgrade;
      return bytes.replace(bytes.find(what), what.size(), instead);
    };
    client c(s.where);
    e.equal(c.ask(get("/ws")).status, 426);
    e(c.ask(without("Version: 13", "Version: 8")).has("Sec-WebSocket-Version: 13"));
    e.equal(c.ask(without("Upgrade: WebSocket", "Upgrade: h2c")).status, 426);
    e.equal(c.ask(without("dGhlIHNhbXBsZSBub25jZQ==", "short")).status, 400);
  });
}
