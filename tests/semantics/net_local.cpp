// UDP, Unix sockets, Asio's stream concepts, and waiting for the descriptors of others.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <weft/io.hpp>

#include "tests/support/net.hpp"
#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::await_waiting;
using test::expect;
using test::in_fiber;
using test::need;
using test::tcp_pair;

namespace {

std::string path_for(const char* name) {
  return (std::filesystem::temp_directory_path() / ("weft-" + std::to_string(::getpid()) + '-' + name)).string();
}

// Buffers as Asio has them.
struct asio_mutable {
  void* at;
  std::size_t length;
  void* data() const { return at; }
  std::size_t size() const { return length; }
};
struct asio_error {
  int number = 0;
  int category() const { return 7; }
  void assign(int n, int c) { number = c == 7 ? n : -1; }
};

}  // namespace

TEST_CASE("udp: datagrams keep their bounds and say whom they are from") {
  in_fiber([](expect& e) {
    const auto server = need(net::listen_packet("udp", "127.0.0.1:0"));
    const auto client = need(net::dial("udp", server.local_address().to_string()));
    std::array<char, 16> some{};
    for (const char* text : {"one", "two", ""}) e(client.write(std::string_view(text)).has_value());
    for (const std::size_t size : {3u, 3u, 0u}) {
      const net::packet p = need(server.read_from(some));
      e.equal(p.size, size);
      e(p.from == client.local_address());
    }
    const net::address back = client.local_address();
    auto t = spawn([&] { return client.read(some).value_or(0); });
    await_waiting("network read", 1);
    e.equal(server.write_to("reply", back).value_or(0), 5u);
    e.equal(t.join(), 5u);
    auto soon = with_timeout(background(), 1ms);
    e(error_of(server.read_from(soon, some)) == errc::deadline_exceeded);
    auto u = spawn([&] { return error_of(server.read_from(some)); });
    await_waiting("network read", 1);
    e(server.close().has_value());
    e(u.join() == errc::closed);
    e(error_of(net::listen_packet("tcp", "127.0.0.1:0")) == std::errc::protocol_not_supported);
  });
}

TEST_CASE("unix: streams and datagrams, by path and by abstract name; the path goes with the listener") {
  in_fiber([](expect& e) {
    std::array<char, 16> some{};
    for (const std::string& where : {path_for("stream"), '@' + path_for("stream")}) {
      auto l = need(net::listen("unix", where));
      e.equal(l.local_address().to_string(), where);
      e(error_of(net::listen("unix", where)) == std::errc::address_in_use);
      const auto a = need(net::dial("unix", where));
      const auto b = need(l.accept());
      e(a.remote_address().is_unix());
      auto t = spawn([&] { return a.read(some).value_or(0); });
      await_waiting("network read", 1);
      e.equal(b.write("abc").value_or(0), 3u);
      e.equal(t.join(), 3u);
      e(l.close().has_value());
      e(!std::filesystem::exists(where));
      e(!net::dial("unix", where));
      const auto d = need(net::listen_packet("unixgram", where));
      const auto c = need(net::dial("unixgram", where));
      e.equal(c.write("data").value_or(0), 4u);
      e.equal(need(d.read_from(some)).size, 4u);
    }
    e(!std::filesystem::exists(path_for("stream")));
    e(error_of(net::dial("unix", std::string(200, 'x'))) == std::errc::filename_too_long);
  });
}

// a close                                  another, at a time
// -------                                  ------------------
// open, so unlinks the path                open, so it will unlink the path
// closes; a new listener takes the path
//                                          unlinks it: the new listener cannot be reached
TEST_CASE("unix: several closes at a time take one path away, once") {
  in_fiber({2, 4}, [](expect& e) {
    const std::string where = path_for("closes");
    auto next = std::make_shared<net::listener>(need(net::listen("unix", where)));
    for (long i = 0, rounds = test::scale(3'000); i < rounds; ++i) {
      wait_group closes;
      std::atomic<int> closed{0};
      for (int one = 0; one < 6; ++one) closes.go([&, l = next] { closed += l->close().has_value() ? 1 : 0; });
      for (auto l = net::listen("unix", where);; l = net::listen("unix", where)) {
        if (!l) continue;
        next = std::make_shared<net::listener>(std::move(*l));
        break;
      }
      closes.wait();
      e.equal(closed.load(), 1);
      const bool there = std::filesystem::exists(where);
      e(there);
      if (!there) return;
    }
  });
}

TEST_CASE("conn: reads and writes sequences of buffers, as Asio's streams do") {
  in_fiber({1}, [](expect& e) {
    tcp_pair p;
    std::string x(3, ' '), y(5, ' ');
    const std::array<const_bytes, 3> pieces{const_bytes("abc"), const_bytes(""), const_bytes("defgh")};
    e.equal(p.a.write_some(pieces), 8u);
    const std::array<asio_mutable, 2> into{asio_mutable{x.data(), 3}, asio_mutable{y.data(), 5}};
    asio_error error{-5};
    e.equal(p.b.read_some(into, error), 8u);
    e.equal(error.number, 0);
    e(x == "abc" && y == "defgh");
    e.equal(p.a.write_some(const_bytes("x")), 1u);
    e.equal(p.b.read_some(asio_mutable{y.data(), 5}, error), 1u);
    e.equal(p.b.read_some(asio_mutable{y.data(), 0}, error), 0u);
    e.equal(error.number, 0);
    e(p.a.close().has_value());
    e.equal(p.b.read_some(asio_mutable{y.data(), 5}, error), 0u);
    e.equal(error.number, ENODATA);  // the end of the stream is an error to Asio
    std::error_code plain;
    e.equal(p.b.read_some(into, plain), 0u);
    e(plain == errc::closed);
    e.throws<std::system_error>([&] { p.b.read_some(into); });
    p.b.set_deadline(clock::now());
    p.b.read_some(into, error);
    e.equal(error.number, ETIMEDOUT);
    e(p.b.close().has_value());
    p.b.write_some(const_bytes("x"), error);
    e.equal(error.number, EBADF);
  });
}

TEST_CASE("wait_readable, wait_writable: descriptors of others") {
  in_fiber({1, 2, 4}, [](expect& e) {
    std::array<int, 2> ends{};
    e(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) == 0);
    const auto [out, in] = ends;
    e(wait_writable(in).has_value());
    char c = 0;
    for (int round = 0; round < 20; ++round) {
      // Several at a time; each sees it, and none returns for what has been read already.
      auto a = spawn([&, fd = out] { return wait_readable(fd).has_value(); });
      auto b = spawn([&, fd = out] { return wait_readable(fd).has_value(); });
      await_waiting("descriptor readable", 2);
      e(::write(in, "x", 1) == 1);
      e(a.join() && b.join());
      e(wait_readable(out).has_value());
      e(::read(out, &c, 1) == 1);
      auto soon = with_timeout(background(), 100us);
      e(error_of(wait_readable(soon, out)) == errc::deadline_exceeded);
    }
    while (::write(in, "0123456789", 10) > 0) {
    }
    auto full = spawn([&, fd = in] { return wait_writable(fd).has_value(); });
    await_waiting("descriptor writable", 1);
    std::string much(1 << 20, ' ');
    e(::read(out, much.data(), much.size()) > 0);
    e(full.join());
    while (::read(out, much.data(), much.size()) > 0) {
    }
    auto ended = spawn([&, fd = out] { return wait_readable(fd).has_value(); });
    await_waiting("descriptor readable", 1);
    ::close(in);
    e(ended.join());
    ::close(out);
    e(error_of(wait_readable(out)) == std::errc::bad_file_descriptor);
    const int file = ::open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    e(wait_readable(file).has_value());
    ::close(file);
  });
}

// ThreadSanitizer calls the close a race, which it is.
TEST_CASE("wait_readable: a cancelled fiber is thrown at; one closed behind our back does not disturb the next" *
          doctest::skip(WEFT_TSAN != 0)) {
  in_fiber({1, 2}, [](expect& e) {
    const int first = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    auto scope = with_cancel(background());
    auto t = spawn(scope, [&] { static_cast<void>(wait_readable(first)); });
    await_waiting("descriptor readable", 1);
    ::close(first);
    const int second = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    e.equal(second, first);
    auto u = spawn([&] { return wait_readable(second).has_value(); });
    await_waiting("descriptor readable", 2);
    const std::uint64_t one = 1;
    e(::write(second, &one, sizeof one) == sizeof one);
    e(u.join());
    std::uint64_t count = 0;
    e(::read(second, &count, sizeof count) == sizeof count);
    t.cancel();
    scope.cancel();
    try {
      t.join();
    } catch (const canceled&) {
      // or it was woken with the other, which is as well
    }
    ::close(second);
  });
}

TEST_CASE("wait_readable: a socket of weft's own, until it is closed") {
  in_fiber({1, 2}, [](expect& e) {
    const tcp_pair p;
    auto t = spawn([&] { return error_of(wait_readable(p.a.native_handle())); });
    await_waiting("descriptor readable", 1);
    e.equal(p.b.write("x").value_or(0), 1u);
    e(!t.join());
    std::array<char, 1> one{};
    e.equal(p.a.read(one).value_or(0), 1u);
    auto u = spawn([&] { return error_of(wait_readable(p.a.native_handle())); });
    await_waiting("descriptor readable", 1);
    e(p.a.close().has_value());
    e(u.join() == errc::closed);
  });
}
