// Sockets under cancels and closes that strike at random points.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/storms/storms.hpp"
#include "tests/support/net.hpp"

using namespace weft;

namespace test::storm {
namespace {

// Reads all of a stream, most reads with a context that ends soon, and checks every byte.
void read_all(const net::conn& c, expect& e, std::uint64_t wanted, std::uint64_t seed) {
  test::random chance(seed);
  std::vector<char> some(4096);
  std::uint64_t got = 0;
  for (;;) {
    const auto into = mutable_bytes(some.data(), 1 + chance.below(4096));
    result<std::size_t> n = 0;
    if (const unsigned kind = chance.below(4); kind == 0) {
      n = c.read(into);
    } else if (kind == 1) {
      c.set_read_deadline(clock::now() + std::chrono::nanoseconds(chance.below(50'000)));
      n = c.read(into);
      c.set_read_deadline(net::no_deadline);
    } else {
      auto scope = with_timeout(background(), std::chrono::nanoseconds(chance.below(50'000)));
      n = c.read(scope, into);
    }
    if (!n) {
      if (n.error() != errc::deadline_exceeded) return e(false);
      continue;
    }
    if (*n == 0) break;
    if (!test::right(std::span(some).first(*n), got)) return e(false);
    got += *n;
  }
  e.equal(got, wanted);
}

void write_all(const net::conn& c, expect& e, std::uint64_t size, std::uint64_t seed) {
  test::random chance(seed);
  std::vector<char> some;
  for (std::uint64_t sent = 0; sent < size;) {
    some.resize(std::min<std::uint64_t>(1 + chance.below(60'000), size - sent));
    test::fill(some, sent);
    auto scope = with_timeout(background(), std::chrono::nanoseconds(chance.below(100'000)));
    const result<std::size_t> n = chance.below(3) == 0 ? c.write(some) : c.write(scope, some);
    if (n)
      sent += *n;
    else if (n.error() != errc::deadline_exceeded)
      return e(false);
  }
  e(c.close_write().has_value());
}

}  // namespace

void streams(expect& e, std::uint64_t size, std::uint64_t seed) {
  wait_group all;
  for (std::uint64_t i = 0; i < 4; ++i)
    all.go([&, i] {
      const test::tcp_pair p;
      wait_group both;
      both.go([&] { write_all(p.a, e, size, seed + 4 * i); });
      both.go([&] { read_all(p.b, e, size, seed + 4 * i + 1); });
      both.go([&] { write_all(p.b, e, size / 2, 4 * i + 2); });
      both.go([&] { read_all(p.a, e, size / 2, 4 * i + 3); });
      both.wait();
    });
  all.wait();
}

void streams_of_threads(expect& e, std::uint64_t size, std::uint64_t seed) {
  const test::tcp_pair p;
  test::foreign writer([&] { write_all(p.a, e, size, seed + 1); });
  test::foreign reader([&] { read_all(p.a, e, size, seed + 2); });
  wait_group all;
  all.go([&] { write_all(p.b, e, size, seed + 3); });
  all.go([&] { read_all(p.b, e, size, seed + 4); });
  all.wait();
  writer.join();
  reader.join();
}

void closed_connections(expect& e, long rounds, std::uint64_t seed) {
  std::atomic<long> ended{0};
  const auto l = need(net::listen("tcp", "127.0.0.1:0"));
  const std::string where = l.local_address().to_string();
  chan<net::conn*> to_close{16};
  test::foreign closer([&] {
    for (net::conn* c : to_close) static_cast<void>(c->close());
  });
  wait_group lanes;
  for (std::uint64_t lane = 0; lane < 4; ++lane)
    lanes.go([&, lane] {
      test::random chance(seed + lane);
      std::string much(60'000, 'x');
      for (long i = 0; i < rounds / 4; ++i) {
        // Whose connection the accept gives does not matter: each end is closed by somebody.
        auto a = need(net::dial("tcp", where));
        auto b = need(l.accept());
        auto scope = with_timeout(background(), std::chrono::microseconds(chance.below(200)));
        const bool canceled = chance.below(3) == 0;
        wait_group waits;
        const auto wait_on = [&](net::conn& c) {
          waits.go([&] {
            std::vector<char> some(1000);
            for (;;) {
              const auto n = canceled ? c.read(scope, some) : c.read(some);
              if (!n || *n == 0) break;
            }
            ++ended;
          });
          waits.go([&] {
            while (canceled ? c.write(scope, much) : c.write(much)) {
            }
            ++ended;
          });
        };
        wait_on(a);
        wait_on(b);
        for (unsigned pause = chance.below(20); pause > 0; --pause) this_fiber::yield();
        if (chance.below(2) == 0) {
          static_cast<void>(a.close());
        } else {
          to_close.send(&a);
        }
        if (chance.below(2) == 0) static_cast<void>(b.close());
        // b may be another's peer: its own waits end only by its own close.
        static_cast<void>(b.close());
        waits.wait();
        while (a) this_fiber::yield();
      }
    });
  lanes.wait();
  to_close.close();
  closer.join();
  e.equal(ended.load(), rounds / 4 * 4 * 4);
}

void cancelled_dials(expect& e, long rounds, std::uint64_t seed) {
  auto l = need(net::listen("tcp", "127.0.0.1:0"));
  const std::string where = l.local_address().to_string();
  std::atomic<long> accepted{0}, dialed{0};
  wait_group servers, clients;
  for (std::uint64_t i = 0; i < 3; ++i)
    servers.go([&, i] {
      test::random chance(seed + i);
      for (;;) {
        auto scope = with_timeout(background(), std::chrono::microseconds(chance.below(100)));
        const auto c = chance.below(2) == 0 ? l.accept(scope) : l.accept();
        if (c) {
          ++accepted;
          static_cast<void>(c->write("x"));  // it may have gone again
        } else if (c.error() == errc::closed) {
          return;
        } else {
          e(c.error() == errc::deadline_exceeded);
        }
      }
    });
  for (std::uint64_t i = 0; i < 4; ++i)
    clients.go([&, i] {
      test::random chance(seed + 10 + i);
      for (long k = 0; k < rounds / 4; ++k) {
        auto scope = with_timeout(background(), std::chrono::microseconds(chance.below(200)));
        const auto c = chance.below(2) == 0 ? net::dial(scope, "tcp", where) : net::dial("tcp", where);
        if (!c) {
          e(c.error() == errc::deadline_exceeded);
          continue;
        }
        // A connection that was made is served, whatever else was cancelled.
        std::array<char, 1> one{};
        e.equal(c->read(one).value_or(9), 1u);
        ++dialed;
      }
    });
  clients.wait();
  e(l.close().has_value());
  servers.wait();
  e(accepted >= dialed);
}

}  // namespace test::storm
