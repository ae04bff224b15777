// How waits on sockets end: cancelled, past a deadline, closed by somebody else; and what each leaves behind.
#include <unistd.h>

#include "tests/support/net.hpp"
#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::await_waiting;
using test::expect;
using test::in_fiber;
using test::need;
using test::tcp_pair;

TEST_CASE("net: a context ends a read, a write and an accept; nothing is lost") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const tcp_pair p;
    std::array<char, 4> some{};
    std::string much(10'000'000, 'x');  // more than fits
    auto scope = with_cancel(background());
    auto read = spawn([&] { return p.a.read(scope, some); });
    auto accept = spawn([&] { return error_of(p.l.accept(scope)); });
    auto write = spawn([&] { return p.b.write(scope, much); });
    await_waiting("network accept", 1);
    await_waiting("network write", 1);
    scope.cancel();
    // The reader may have got some of what was written.
    const auto n = read.join();
    e(n ? *n > 0 : n.error() == errc::canceled);
    e(accept.join() == errc::canceled);
    const auto written = write.join();
    e(written && *written > 0 && *written < much.size());  // completed bytes win
    e(error_of(p.b.write(scope, "y")) == errc::canceled);
    e(p.b.close().has_value());
    std::size_t got = n.value_or(0);
    for (std::size_t k; (k = need(p.a.read(much))) != 0;) got += k;
    e.equal(got, written.value_or(0));
  });
}

TEST_CASE("net: a bound fiber is thrown at, also where it would not have to wait") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const tcp_pair p;
    std::array<char, 4> some{};
    auto scope = with_timeout(background(), 1ms);
    bool unwound = false;
    auto t = spawn(scope, [&] {
      const defer after([&] { unwound = true; });
      static_cast<void>(p.a.read(some));
      e(false);
    });
    e.throws<canceled>([&] { t.join(); });
    e(unwound);
    e.equal(p.b.write("abc").value_or(0), 3u);
    auto u = spawn(scope, [&] { static_cast<void>(p.a.read(some)); });
    e.throws<canceled>([&] { u.join(); });
    auto v = spawn(scope, [&] {
      const shield_scope closed;
      return p.a.read(some).value_or(0);
    });
    e.equal(v.join(), 3u);
  });
}

TEST_CASE("net: a deadline in the past ends everything at once; taken away, all goes on") {
  in_fiber([](expect& e) {
    const tcp_pair p;
    std::array<char, 4> some{};
    e.equal(p.b.write("abc").value_or(0), 3u);
    p.a.set_deadline(clock::now() - 1s);
    e(error_of(p.a.read(some)) == errc::deadline_exceeded);
    e(error_of(p.a.write("x")) == errc::deadline_exceeded);
    p.a.set_write_deadline(net::no_deadline);
    e.equal(p.a.write("x").value_or(0), 1u);
    e(error_of(p.a.read(some)) == errc::deadline_exceeded);
    p.a.set_read_deadline(net::no_deadline);
    e.equal(p.a.read(some).value_or(0), 3u);
    p.l.set_deadline(clock::now());
    e(error_of(p.l.accept()) == errc::deadline_exceeded);
  });
}

TEST_CASE("net: a deadline ends a wait, not early; and one that is moved counts for the wait under way") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const tcp_pair p;
    std::array<char, 4> some{};
    const auto until = clock::now() + 5ms;
    p.a.set_read_deadline(until);
    e(error_of(p.a.read(some)) == errc::deadline_exceeded);
    e(clock::now() >= until);
    // Brought forward.
    p.a.set_read_deadline(clock::now() + 1h);
    auto t = spawn([&] { return error_of(p.a.read(some)); });
    await_waiting("network read", 1);
    p.a.set_read_deadline(clock::now() + 1ms);
    e(t.join() == errc::deadline_exceeded);
    // Put off, while it is about to pass or after.
    for (int i = 0; i < 20; ++i) {
      p.a.set_read_deadline(clock::now() + 100us);
      auto u = spawn([&] { return p.a.read(some); });
      p.a.set_read_deadline(clock::now() + 1h);
      e.equal(p.b.write("x").value_or(0), 1u);
      const auto n = u.join();
      e(n ? *n == 1 : n.error() == errc::deadline_exceeded);
      if (!n) e.equal(p.a.read(some).value_or(0), 1u);
    }
  });
}

TEST_CASE("net: wait_end waits for the end of the peer's stream, past what is unread, and reads nothing") {
  in_fiber({1, 2, 4}, [](expect& e) {
    tcp_pair p;
    std::array<char, 4> some{};
    e.equal(p.b.write("abc").value_or(0), 3u);
    auto t = spawn([&] { return p.a.wait_end(); });
    await_waiting("network read", 1);
    e.equal(p.b.write("d").value_or(0), 1u);  // no end, though it wakes
    auto scope = with_cancel(background());
    auto u = spawn([&] { return error_of(p.a.wait_end(scope)); });
    await_waiting("network read", 2);
    scope.cancel();
    e(u.join() == errc::canceled);
    e(p.b.close_write().has_value());
    e(t.join().has_value());
    e(p.a.wait_end().has_value());
    e.equal(p.a.read(some).value_or(0), 4u);
    e.equal(std::string_view(some.data(), 4), std::string_view("abcd"));
    e.equal(p.a.read(some).value_or(1), 0u);
    p.b.set_read_deadline(clock::now());
    e(error_of(p.b.wait_end()) == errc::deadline_exceeded);
    p.b.set_read_deadline(net::no_deadline);
    e(p.a.close().has_value());
    e(p.b.wait_end().has_value());
    e(error_of(p.a.wait_end()) == errc::closed);
  });
}

TEST_CASE("net: a deadline ends a write to a peer that never reads") {
  in_fiber([](expect& e) {
    const tcp_pair p;
    const std::string much(20'000'000, 'x');
    p.a.set_write_deadline(clock::now() + 10ms);
    const auto n = p.a.write(much);  // which may begin when the time is over
    e(n ? *n > 0 && *n < much.size() : n.error() == errc::deadline_exceeded);
    e(error_of(p.a.write(much)) == errc::deadline_exceeded);
    p.a.set_write_deadline(net::no_deadline);
    auto t = spawn([&] { return p.a.write(much); });
    await_waiting("network write", 1);
    p.a.set_write_deadline(clock::now() + 1ms);
    e(t.join().value_or(0) < much.size());
  });
}

TEST_CASE("net: close ends the waits of others with closed, and closes the port") {
  in_fiber({1, 2, 4}, [](expect& e) {
    for (int i = 0; i < 10; ++i) {
      tcp_pair p;
      std::array<char, 4> some{};
      const std::string much(10'000'000, 'x');
      auto r1 = spawn([&] { return error_of(p.a.read(some)); });
      auto r2 = spawn([&] { return error_of(p.a.read(some)); });
      auto w = spawn([&] { return p.a.write(much); });
      auto a = spawn([&] { return error_of(p.l.accept()); });
      await_waiting("network read", 2);
      await_waiting("network write", 1);
      await_waiting("network accept", 1);
      const std::string where = p.l.local_address().to_string();
      e(p.a.close().has_value());
      e(p.l.close().has_value());
      e(error_of(net::dial("tcp", where)) == std::errc::connection_refused);
      e(net::listen("tcp", where).has_value());
      e(r1.join() == errc::closed);
      e(r2.join() == errc::closed);
      const auto n = w.join();
      e(n && *n > 0 && *n < much.size());
      e(a.join() == errc::closed);
      e(error_of(p.a.close()) == errc::closed);
      e(error_of(p.a.read(some)) == errc::closed);
      e(error_of(p.a.write("x")) == errc::closed);
      e(error_of(p.a.close_write()) == errc::closed);
      e(p.a.local_address().empty());
      e(!p.a);
      e.equal(p.a.native_handle(), -1);
    }
  });
}

// The closed handle's record serves another connection by then, whose writer has the turn and keeps it.
TEST_CASE("net: a write to a closed handle waits for nobody") {
  in_fiber({1, 2}, [](expect& e) {
    const tcp_pair p;
    e(p.a.close().has_value());
    e(p.b.close().has_value());
    const tcp_pair q, r;
    const std::string much(20'000'000, 'x');
    std::vector<task<result<std::size_t>>> writers;
    for (const net::conn* c : {&q.a, &q.b, &r.a, &r.b}) writers.push_back(spawn([&, c] { return c->write(much); }));
    await_waiting("network write", 4);
    const auto soon = with_timeout(background(), 5s);
    e(error_of(p.a.write(soon, "x")) == errc::closed);
    e(error_of(p.b.write(soon, "x")) == errc::closed);
    for (const net::conn* c : {&q.a, &q.b, &r.a, &r.b}) e(c->close().has_value());
    for (auto& w : writers) e(w.join().value_or(0) < much.size());
  });
}

TEST_CASE("net: a read into no memory does not block") {
  in_fiber({1}, [](expect& e) {
    const tcp_pair p;
    std::array<char, 4> some{};
    const auto soon = with_timeout(background(), 5s);
    e.equal(p.a.read(soon, mutable_bytes()).value_or(9), 0u);
    e.equal(p.b.write("abc").value_or(0), 3u);
    e.equal(p.a.read(soon, mutable_bytes()).value_or(9), 0u);
    e.equal(p.a.read(soon, some).value_or(0), 3u);
    e.equal(p.a.read(soon, mutable_bytes()).value_or(9), 0u);
    e(p.a.close().has_value());
    e(error_of(p.a.read(soon, mutable_bytes())) == errc::closed);
  });
}

TEST_CASE("net: a handle that was moved from, or never open, is closed") {
  in_fiber({1}, [](expect& e) {
    tcp_pair p;
    std::array<char, 4> some{};
    net::conn other = std::move(p.a);
    e(error_of(p.a.read(some)) == errc::closed);  // NOLINT(bugprone-use-after-move)
    e.equal(other.write("x").value_or(0), 1u);
    other = std::move(p.b);  // closes what it was
    e.equal(other.read(some).value_or(9), 1u);
    e.equal(other.read(some).value_or(9), 0u);
    const net::conn none;
    e(error_of(none.write("x")) == errc::closed);
    e(error_of(net::listener().accept()) == errc::closed);
    e(error_of(net::packet_conn().read_from(some)) == errc::closed);
  });
}

TEST_CASE("net: no event of a closed socket ends a wait of the next that gets its number") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const auto l = need(net::listen("tcp", "127.0.0.1:0"));
    const std::string where = l.local_address().to_string();
    std::array<char, 4> some{};
    int reused = 0;
    for (int i = 0; i < 100; ++i) {
      auto a = need(net::dial("tcp", where));
      const auto b = need(l.accept());
      const int number = a.native_handle();
      e.equal(b.write("x").value_or(0), 1u);  // an event is under way when a goes
      e(a.close().has_value());
      const auto c = need(net::dial("tcp", where));
      const auto d = need(l.accept());
      reused += c.native_handle() == number;
      c.set_read_deadline(clock::now() + 1ms);
      e(error_of(c.read(some)) == errc::deadline_exceeded);
    }
    e(reused > 0);
  });
}

TEST_CASE("net: foreign threads read, write, and are ended like fibers") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const tcp_pair p;
    auto scope = with_cancel(background());
    std::atomic<int> steps{0};
    test::foreign t([&] {
      std::array<char, 4> some{};
      e.equal(p.a.read(some).value_or(0), 3u);
      e.equal(p.a.write("abcd").value_or(0), 4u);
      p.a.set_read_deadline(clock::now() + 1ms);
      e(error_of(p.a.read(some)) == errc::deadline_exceeded);
      p.a.set_read_deadline(net::no_deadline);
      ++steps;
      e(error_of(p.a.read(scope, some)) == errc::canceled);
      ++steps;
      e(error_of(p.a.read(some)) == errc::closed);
    });
    std::array<char, 4> some{};
    e.equal(p.b.write("abc").value_or(0), 3u);
    e.equal(p.b.read(some).value_or(0), 4u);
    while (steps < 1) this_fiber::yield();
    scope.cancel();
    while (steps < 2) this_fiber::yield();
    e(p.a.close().has_value());
    t.join();
  });
}

TEST_CASE("net: sockets outlive a run; between runs a thread serves itself") {
  expect e;
  net::listener l;
  net::conn a, b;
  run([&] {
    l = need(net::listen("tcp", "127.0.0.1:0"));
    a = need(net::dial("tcp", l.local_address().to_string()));
    b = need(l.accept());
  });
  std::array<char, 4> some{};
  std::thread writer([&] { e.equal(b.write("abc").value_or(0), 3u); });
  e.equal(a.read(some).value_or(0), 3u);
  writer.join();
  a.set_read_deadline(clock::now() + 15ms);
  e(error_of(a.read(some)) == errc::deadline_exceeded);
  a.set_read_deadline(net::no_deadline);
  // One that waits when a run ends goes on by itself, and so does one that waits when a run begins.
  std::thread reader([&] { e.equal(a.read(some).value_or(0), 2u); });
  run([] { this_fiber::sleep_for(1ms); });
  e.equal(b.write("xy").value_or(0), 2u);
  reader.join();
  run(test::on(1), [&] {
    auto t = spawn([&] { return a.read(some).value_or(0); });
    await_waiting("network read", 1);
    e.equal(b.write("z").value_or(0), 1u);
    e.equal(t.join(), 1u);
  });
  e.report();
}

TEST_CASE("net: what comes behind a loop that never calls the runtime is read all the same") {
#if !WEFT_TSAN
  in_fiber({1, 2}, [](expect& e) {
    const tcp_pair p;
    std::atomic<bool> stop{false};
    wait_group all;
    for (int i = 0; i < 2; ++i)
      all.go([&] {
        while (!stop.load(std::memory_order_relaxed)) {
        }
      });
    // A thread answers, so that no fiber need run for the next event to come.
    std::thread echo([&] {
      std::array<char, 1> one{};
      while (p.b.read(one).value_or(0) == 1 && p.b.write(one)) {
      }
    });
    std::array<char, 1> one{};
    for (int i = 0; i < 10; ++i) {
      e.equal(p.a.write("x").value_or(0), 1u);
      e.equal(p.a.read(one).value_or(0), 1u);
    }
    stop = true;
    all.wait();
    e(p.a.close().has_value());
    blocking([&] { echo.join(); });
  });
#endif
}
