// TCP: connections, streams, addresses.
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>

#include "tests/support/net.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;
using test::need;
using test::tcp_pair;

namespace {

bool has_ipv6() {
  bool has = false;
  run([&] { has = net::listen("tcp6", "[::1]:0").has_value(); });
  return has;
}

}  // namespace

TEST_CASE("tcp: what is written is read, in order, to the end of the stream") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const tcp_pair p;
    constexpr std::size_t k_size = 3'000'000;  // more than the system buffers
    wait_group all;
    all.go([&] {
      std::vector<char> bytes(k_size);
      test::fill(bytes, 0);
      e.equal(p.a.write(bytes).value_or(0), k_size);
      e(p.a.close_write().has_value());
    });
    std::array<char, 10'007> some{};
    std::uint64_t got = 0;
    for (;;) {
      const std::size_t n = need(p.b.read(some));
      if (n == 0) break;
      e(test::right(std::span(some).first(n), got));
      got += n;
    }
    e.equal(got, k_size);
    e.equal(p.b.write("still there").value_or(0), 11u);  // half closed
    all.wait();
    e.equal(p.a.read(some).value_or(0), 11u);
  });
}

TEST_CASE("tcp: many connections at a time, each echoing its own") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const auto l = need(net::listen("tcp", "127.0.0.1:0"));
    const std::string where = l.local_address().to_string();
    const long clients = test::scale(100);
    wait_group servers, all;
    servers.go([&] {
      while (auto c = l.accept())
        servers.go([c = std::move(*c)] {
          std::array<char, 64> some{};
          for (std::size_t n; (n = c.read(some).value_or(0)) != 0;)
            if (!c.write(const_bytes(some.data(), n))) return;
        });
    });
    for (long i = 0; i < clients; ++i)
      all.go([&, i] {
        const auto c = need(net::dial("tcp", where));
        std::array<char, 64> sent{}, got{};
        for (std::uint64_t round = 0; round < 20; ++round) {
          test::fill(sent, 64 * round + static_cast<std::uint64_t>(i));
          if (!c.write(sent)) return e(false);
          for (std::size_t n = 0, k; n < got.size(); n += k)
            if ((k = c.read(mutable_bytes(got.data() + n, got.size() - n)).value_or(0)) == 0) return e(false);
          e(sent == got);
        }
      });
    all.wait();
    e(l.close().has_value());
    servers.wait();
  });
}

TEST_CASE("tcp: several pieces are written as one") {
  in_fiber({1}, [](expect& e) {
    const tcp_pair p;
    std::deque<std::string> kept;
    std::vector<const_bytes> pieces;
    std::string whole;
    for (int i = 0; i < 300; ++i) {
      pieces.emplace_back(kept.emplace_back(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26)));
      whole += kept.back();
    }
    e.equal(p.a.write(pieces).value_or(0), whole.size());
    e(p.a.close().has_value());
    std::string got;
    std::array<char, 100> some{};
    for (std::size_t n; (n = need(p.b.read(some))) != 0;) got.append(some.data(), n);
    e(got == whole);
    e.equal(p.b.write(std::span<const const_bytes>()).value_or(1), 0u);
  });
}

TEST_CASE("tcp: writes of several fibers do not mix") {
  in_fiber({1, 4}, [](expect& e) {
    const tcp_pair p;
    constexpr std::size_t k_size = 400'000;
    wait_group all;
    for (char c : {'a', 'b', 'c', 'd'})
      all.go([&, c] { e.equal(p.a.write(std::string(k_size, c)).value_or(0), k_size); });
    all.go([&] {
      std::string got, some(100'000, ' ');
      while (got.size() < 4 * k_size) got.append(some, 0, need(p.b.read(some)));
      for (std::size_t i = 0; i < got.size(); i += k_size) e(got.find_first_not_of(got[i], i) >= i + k_size);
    });
    all.wait();
  });
}

TEST_CASE("tcp: addresses") {
  in_fiber({1}, [](expect& e) {
    const tcp_pair p;
    e(p.a.local_address() == p.b.remote_address());
    e(p.a.remote_address() == p.b.local_address());
    e(p.l.local_address() == p.a.remote_address());
    e(p.a.remote_address().is_ipv4());
    e.equal(p.a.remote_address().host(), std::string("127.0.0.1"));
    e(net::address::parse(p.a.local_address().to_string()).value() == p.a.local_address());
    e.equal(net::address::parse("[::1]:80").value().to_string(), std::string("[::1]:80"));
    for (const char* bad : {"", "1.2.3.4", "1.2.3.4:", "1.2.3.4:99999", "::1:80x", "[::1:80", "host:80"})
      e(!net::address::parse(bad));
    e(net::address().empty());
    for (const char* good : {"localhost:80", ":80", "127.0.0.1:http"}) e(!need(net::resolve("tcp", good)).empty());
    for (const char* bad : {"nowhere", "localhost:65536", "127.0.0.1:99999", ":70000"})
      e(error_of(net::resolve("tcp", bad)) == std::errc::invalid_argument);
    e(error_of(net::resolve("tcp6", "127.0.0.1:80")) == std::errc::address_family_not_supported);
    e(error_of(net::resolve("carrier pigeon", "127.0.0.1:80")) == std::errc::protocol_not_supported);
    e(error_of(net::listen("udp", "127.0.0.1:0")) == std::errc::protocol_not_supported);
  });
}

TEST_CASE("tcp: options") {
  in_fiber({1}, [](expect& e) {
    const tcp_pair p;
    const auto option = [](const net::conn& c, int level, int name) {
      int value = -1;
      socklen_t size = sizeof value;
      ::getsockopt(c.native_handle(), level, name, &value, &size);
      return value;
    };
    for (const net::conn* c : {&p.a, &p.b}) {
      e.equal(option(*c, SOL_SOCKET, SO_KEEPALIVE), 1);
      e.equal(option(*c, 6, 1), 1);  // TCP_NODELAY
      e(c->set_no_delay(false).has_value());
      e.equal(option(*c, 6, 1), 0);
      e(c->set_keep_alive(2500ms).has_value());
      e.equal(option(*c, 6, 4), 3);  // TCP_KEEPIDLE
      e(c->set_keep_alive(0s).has_value());
      e.equal(option(*c, SOL_SOCKET, SO_KEEPALIVE), 0);
    }
  });
}

TEST_CASE("tcp: dial of nobody, of a name that is none, and of one of several addresses") {
  in_fiber([](expect& e) {
    std::string free;
    {
      const auto l = need(net::listen("tcp", "127.0.0.1:0"));
      free = l.local_address().to_string();
    }
    e(error_of(net::dial("tcp", free)) == std::errc::connection_refused);
    const auto unresolved = net::dial("tcp", "no-such-host.invalid:80");
    e(!unresolved && unresolved.error().category() == net::resolver_category());
    // "localhost" may be ::1 first, where nobody listens: the next address is tried.
    const auto l = need(net::listen("tcp", "127.0.0.1:0"));
    const auto c = net::dial("tcp", "localhost:" + std::to_string(l.local_address().port()));
    e(c.has_value());
    auto [ctx, cancel] = with_cancel(background());
    cancel();
    e(error_of(net::dial(ctx, "tcp", l.local_address().to_string())) == errc::canceled);
    e(error_of(net::dial(ctx, "tcp", "localhost:1")) == errc::canceled);
  });
}

TEST_CASE("tcp: over IPv6, and both versions through one listener" * doctest::skip(!has_ipv6())) {
  in_fiber([](expect& e) {
    const auto l = need(net::listen("tcp", ":0"));
    const std::string port = std::to_string(l.local_address().port());
    for (const char* host : {"[::1]:", "127.0.0.1:", ":"}) {
      const auto c = need(net::dial("tcp", host + port));
      const auto s = need(l.accept());
      e.equal(s.write("x").value_or(0), 1u);
      std::array<char, 1> x{};
      e.equal(c.read(x).value_or(0), 1u);
    }
    const auto six = need(net::listen("tcp6", ":0"));
    e(error_of(net::dial("tcp4", "127.0.0.1:" + std::to_string(six.local_address().port()))) ==
      std::errc::connection_refused);
  });
}

TEST_CASE("tcp: a peer that resets") {
  in_fiber([](expect& e) {
    tcp_pair p;
    const linger at_once{1, 0};
    ::setsockopt(p.b.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    e(p.b.close().has_value());
    std::array<char, 8> some{};
    e(error_of(p.a.read(some)) == std::errc::connection_reset);
    e(error_of(p.a.write("x")) == std::errc::broken_pipe);  // and no SIGPIPE
  });
}

// The undefined-behaviour sanitizer looks at memory through a pipe of its own, and reports what it cannot look at.
TEST_CASE("tcp: without descriptors accept waits, and goes on when there are some" * doctest::skip(WEFT_ASAN != 0)) {
  in_fiber({1, 2}, [](expect& e) {
    const auto l = need(net::listen("tcp", "127.0.0.1:0"));
    const std::string where = l.local_address().to_string();
    const auto c = need(net::dial("tcp", where));
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const int next = ::dup(0);
    ::close(next);
    const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    auto accepted = spawn([&] { return l.accept(); });
    auto given_up = with_timeout(background(), 30ms);  // a back-off or two
    e(error_of(l.accept(given_up)) == errc::deadline_exceeded);
    e(error_of(net::dial("tcp", where)) == std::errc::too_many_files_open);
    ::setrlimit(RLIMIT_NOFILE, &before);
    const auto s = accepted.join();
    e(s.has_value());
    if (s) e(s->remote_address() == c.local_address());
  });
}
