// How HTTP requests and servers end: clients that leave, deadlines, the graceful stop; and that nothing is left behind.
#include <string>

#include "tests/support/http.hpp"
#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using http::request;
using http::response;
using test::client;
using test::expect;
using test::get;
using test::in_fiber;
using test::post;
using test::site;

TEST_CASE("http: a client that leaves cancels its handler") {
  in_fiber({1, 2, 4}, [](expect& e) {
    site s;
    chan<void> begun{8};
    std::atomic<int> unwound{0}, told{0};
    s.server.handle("/bound", [&](request& q, response&) {
      const defer after([&] { unwound += q.ctx().err() == errc::canceled; });
      begun.send();
      this_fiber::sleep_for(1h);
      e(false);
    });
    s.server.handle("/given", [&](request& q, response&) {
      begun.send();
      told += error_of(sleep_for(q.ctx(), 1h)) == errc::canceled;
      const auto cause = std::error_code(std::make_error_code(std::errc::connection_aborted));
      try {
        std::rethrow_exception(q.ctx().cause());
      } catch (const std::system_error& x) {
        told += x.code() == cause;
      }
    });
    s.start();
    for (const std::string& bytes : {get("/bound"), get("/given"), get("/given") + get("/bound")}) {
      client c(s.where);
      e(c.send(bytes));
      begun.recv();
      e(c.conn.close().has_value());
    }
    e(s.stop().has_value());  // which would wait for an hour
    e.equal(unwound.load(), 1);
    e.equal(told.load(), 4);
    e.equal(s.failures.load(), 0);
  });
}

TEST_CASE("http: a client that leaves is noticed once its body has been read") {
  in_fiber({1, 4}, [](expect& e) {
    site s;
    chan<void> begun{1};
    s.server.handle("/", [&](request& q, response&) {
      e.equal(q.read_all().value_or("?"), std::string("body"));
      begun.send();
      this_fiber::sleep_for(1h);
    });
    s.start();
    client c(s.where);
    e(c.send(post("/", "body")));
    begun.recv();
    e(c.conn.close_write().has_value());  // Go takes that for leaving, too
    e(c.at_end());
    e(s.stop().has_value());
  });
}

TEST_CASE("http: with half_close a client that has ended its stream gets its answers") {
  in_fiber({1, 4}, [](expect& e) {
    auto options = site::patient();
    options.half_close = true;
    site s(std::move(options));
    chan<void> go_on;
    s.server.handle("/", [&](request&, response& r) {
      go_on.recv();
      r.text(200, "here");
    });
    s.start();
    client c(s.where);
    e(c.send(get("/") + get("/")));
    e(c.conn.close_write().has_value());
    for (int i = 0; i < 2; ++i) {
      go_on.send();
      e.equal(c.read().body, std::string("here"));
    }
    e(c.at_end());
  });
}

TEST_CASE("http: a handler's deadline is 503 if it has said nothing, and what it says else") {
  in_fiber({1, 4}, [](expect& e) {
    auto options = site::patient();
    options.handler = 1ms;
    site s(std::move(options));
    s.server.handle("/bound", [](request&, response&) { this_fiber::sleep_for(1h); });
    s.server.handle("/given", [](request& q, response& r) {
      if (error_of(sleep_for(q.ctx(), 1h)) == errc::deadline_exceeded) r.text(504, "too late");
    });
    s.server.handle("/silent", [](request& q, response&) { static_cast<void>(sleep_for(q.ctx(), 1h)); });
    s.start();
    client c(s.where);
    for (int i = 0; i < 3; ++i) {
      e.equal(c.ask(get("/bound")).status, 503);
      e.equal(c.ask(get("/given")).body, std::string("too late"));
      e.equal(c.ask(get("/silent")).status, 503);
    }
  });
}

TEST_CASE("http: a stop ends idle connections, and waits for requests that have begun") {
  in_fiber({1, 2, 4}, [](expect& e) {
    site s;
    chan<void> begun{8}, go_on;
    s.server.handle("/wait", [&](request&, response& r) {
      begun.send();
      go_on.recv();
      r.text(200, "done");
    });
    s.server.handle("/quick", [](request&, response& r) { r.text(200, "quick"); });
    s.start();
    client fresh(s.where), idle(s.where), busy(s.where), halfway(s.where), pipelined(s.where);
    e.equal(idle.ask(get("/quick")).status, 200);
    e(busy.send(get("/wait")));
    e(pipelined.send(get("/wait") + get("/quick") + get("/quick")));
    begun.recv();
    begun.recv();
    // Once the first is answered the server has read of the second.
    e.equal(halfway.ask(get("/quick") + "GET /quick HTTP/1.1\r\nHo").body, std::string("quick"));
    s.begin_to_stop();
    e(idle.at_end());
    e(fresh.at_end());
    e(!net::dial("tcp", s.where));
    e(halfway.send("st: x\r\n\r\n"));
    const auto last = halfway.read();
    e.equal(last.body, std::string("quick"));
    e(last.has("Connection: close"));
    go_on.send();
    go_on.send();
    const auto a = busy.read();
    e.equal(a.body, std::string("done"));
    e(a.has("Connection: close"));
    e.equal(pipelined.read().body, std::string("done"));
    e(!pipelined.read().has("Connection: close"));
    e(pipelined.read().has("Connection: close"));
    for (client* c : {&busy, &halfway, &pipelined}) e(c->at_end());
    e(s.stop().has_value());
  });
}

TEST_CASE("http: what is unfinished when the draining ends is cancelled, and told 503") {
  in_fiber({1, 2, 4}, [](expect& e) {
    auto options = site::patient();
    options.drain = 1ms;
    site s(std::move(options));
    chan<void> begun{8};
    std::atomic<int> unwound{0};
    s.server.handle("/wait", [&](request&, response&) {
      const defer after([&] { ++unwound; });
      begun.send();
      this_fiber::sleep_for(1h);
    });
    s.server.handle("/stuck", [&](request&, response& r) {
      const defer after([&] { ++unwound; });
      begun.send();
      for (;;)
        if (!r.write(std::string(1'000'000, 'x'))) return;
    });
    s.server.handle("/stubborn", [&](request& q, response& r) {
      begun.send();
      static_cast<void>(sleep_for(q.ctx(), 1h));
      r.text(200, "after all");
    });
    s.start();
    client waits(s.where), stuck(s.where), stubborn(s.where), slow(s.where);
    e(waits.send(get("/wait")));
    e(stuck.send(get("/stuck")));
    e(stubborn.send(get("/stubborn")));
    e(slow.send("GET /wait HT"));
    for (int i = 0; i < 3; ++i) begun.recv();
    e(error_of(s.stop()) == errc::deadline_exceeded);
    e.equal(unwound.load(), 2);
    const auto a = waits.read();
    e.equal(a.status, 503);
    e(a.has("Connection: close"));
    e.equal(stubborn.read().body, std::string("after all"));
    e(slow.at_end());
  });
}

TEST_CASE("http: stopped under load, every request is answered, and the last answer of each connection says so") {
  in_fiber({1, 2, 4}, [](expect& e) {
    for (const bool wait_for_idle : {true, false}) {
      auto options = site::patient();
      if (wait_for_idle) options.drain_idle = 1h;
      site s(std::move(options));
      std::atomic<long> handled{0}, answered{0}, unanswered{0}, closed{0}, started{0};
      s.server.handle("/", [&](request&, response& r) {
        if (++handled % 3 == 0) this_fiber::yield();
        r.text(200, "x");
      });
      s.start();
      const long k_clients = 16, k_enough = test::scale(3000);
      wait_group all;
      for (long i = 0; i < k_clients; ++i)
        all.go([&] {
          client c(s.where);
          for (long n = 0;; ++n) {
            const auto a = c.ask(get("/"));
            if (a.status != 200) {
              ++unanswered;
              return;
            }
            ++answered;
            started += n == 0;
            if (!a.has("Connection: close")) continue;
            ++closed;
            return e(c.at_end());
          }
        });
      while (handled < k_enough || started < k_clients) this_fiber::sleep_for(1ms);
      e(s.stop().has_value());
      all.wait();
      e.equal(answered.load(), handled.load());
      e.equal(closed + unanswered, k_clients);
      if (wait_for_idle) e.equal(unanswered.load(), 0);
    }
  });
}

TEST_CASE("http: clients that leave at any point leave nothing behind") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const long sockets = test::open_sockets();
    const std::size_t fibers = debug::fibers().size();
    {
      site s;
      s.server.handle("/sleep", [](request&, response&) { this_fiber::sleep_for(1h); });
      s.server.handle("/echo", [](request& q, response& r) { static_cast<void>(io::copy(r, q)); });
      s.start();
      const std::string script =
          get("/echo") + post("/echo", "12345678") + test::chunked("/echo", "3\r\nabc\r\n0\r\n\r\n") + get("/sleep");
      const long k_rounds = test::scale(500);
      wait_group all;
      for (long i = 0; i < k_rounds; ++i) {
        all.go([&, i] {
          const client c(s.where);
          e(c.send(std::string_view(script).substr(0, static_cast<std::size_t>(i) % (script.size() + 1))));
          if (i % 3 == 0) test::ignore(c.conn.close_write());
        });
        if (i % 32 == 31) all.wait();
      }
      all.wait();
      e(s.stop().has_value());
      e.equal(s.failures.load(), 0);
    }
    e.equal(test::open_sockets(), sockets);
    while (debug::fibers().size() != fibers) this_fiber::yield();  // those that have ended are still being taken off
  });
}
