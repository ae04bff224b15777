// io::copy: every byte, in order, to the end; what ends it before; readers and writers of one's own.
#include <fcntl.h>

#include <algorithm>
#include <vector>
#include <weft/file.hpp>
#include <weft/io.hpp>

#include "tests/support/net.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;
using test::need;
using test::tcp_pair;

namespace {

// Gives numbered bytes, a few at a time, then the end or an error.
class source {
 public:
  explicit source(std::uint64_t size, std::error_code error = {}) : size_(size), error_(error) {}
  result<std::size_t> read(mutable_bytes into) {
    const std::size_t n = std::min({into.size(), std::size_t{1 + given_ % 5'000}, std::size_t{size_ - given_}});
    if (n == 0 && error_) return std::unexpected(error_);
    test::fill({static_cast<char*>(into.data()), n}, given_);
    given_ += n;
    return n;
  }
  result<std::size_t> read(const context& ctx, mutable_bytes into) {
    if (ctx.err()) return std::unexpected(ctx.err());
    return read(into);
  }

 private:
  std::uint64_t size_, given_ = 0;
  std::error_code error_;
};

// Takes at most `most` bytes a time, and in all no more than `room`.
class sink {
 public:
  explicit sink(std::size_t most, std::size_t room = SIZE_MAX) : most_(most), room_(room) {}
  result<std::size_t> write(const_bytes from) {
    const std::size_t n = std::min({from.size(), most_, room_ - taken_});
    right_ = right_ && test::right({static_cast<const char*>(from.data()), n}, taken_);
    taken_ += n;
    return n;
  }
  result<std::size_t> write(const context& ctx, const_bytes from) {
    if (ctx.err()) return std::unexpected(ctx.err());
    return write(from);
  }
  bool right() const { return right_; }
  std::size_t taken() const { return taken_; }

 private:
  std::size_t most_, room_, taken_ = 0;
  bool right_ = true;
};

static_assert(io::reader<const net::conn> && io::writer<const net::conn>);
static_assert(io::reader<source> && io::writer<sink> && !io::reader<const source> && !io::writer<source>);

constexpr std::uint64_t k_size = 3'000'000;  // more than the system buffers

}  // namespace

TEST_CASE("io::copy: all bytes, in order, and how many; a short write is gone on with") {
  in_fiber([](expect& e) {
    for (const std::size_t most : {std::size_t{7}, std::size_t{1'000}, SIZE_MAX}) {
      sink to(most);
      e.equal(io::copy(to, source(100'000)).value_or(0), std::uint64_t{100'000});
      e.equal(to.taken(), std::size_t{100'000});
      e(to.right());
    }
    sink nothing(1);
    e.equal(io::copy(nothing, source(0)).value_or(1), std::uint64_t{0});
  });
}

TEST_CASE("io::copy: the error of either side is given, with what came before it written") {
  in_fiber([](expect& e) {
    const auto broken = std::make_error_code(std::errc::broken_pipe);
    sink to(1'000);
    e(error_of(io::copy(to, source(5'000, broken))) == broken);
    e.equal(to.taken(), std::size_t{5'000});
    sink full(1'000, 2'500);
    e(error_of(io::copy(full, source(5'000))) == std::errc::io_error);
    e.equal(full.taken(), std::size_t{2'500});
  });
}

TEST_CASE("io::copy: with a context, both sides are given it") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    sink to(1'000);
    e.equal(io::copy(ctx, to, source(5'000)).value_or(0), std::uint64_t{5'000});
    cancel();
    e(error_of(io::copy(ctx, to, source(5'000))) == errc::canceled);
    e.equal(to.taken(), std::size_t{5'000});
  });
}

TEST_CASE("io::copy: from one connection to another, until the one is half closed; the other is not") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const tcp_pair in, out;
    wait_group all;
    all.go([&] {
      std::vector<char> bytes(k_size);
      test::fill(bytes, 0);
      e.equal(in.a.write(bytes).value_or(0), std::size_t{k_size});
      e(in.a.close_write().has_value());
    });
    all.go([&] {
      e.equal(io::copy(out.a, in.b).value_or(0), k_size);
      e(out.a.write("and more").has_value());
      e(out.a.close_write().has_value());
    });
    sink to(SIZE_MAX, k_size);
    e(error_of(io::copy(to, out.b)) == std::errc::io_error);  // there is more than the sink takes
    e.equal(to.taken(), std::size_t{k_size});
    e(to.right());
    all.wait();
  });
}

TEST_CASE("io::copy: a cancel ends it, where it reads and where it writes") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const tcp_pair in, out;
    bool threw = false;
    auto reads = spawn([&] {
      try {
        static_cast<void>(io::copy(out.a, in.b));  // nothing comes
      } catch (const canceled&) {
        threw = true;
      }
    });
    test::settle();
    reads.cancel();
    reads.join();
    e(threw);

    auto [ctx, cancel] = with_cancel(background());
    auto writes = spawn([&, c = ctx] { return error_of(io::copy(c, out.a, source(1 << 30))); });  // nobody reads
    test::settle();
    cancel();
    e(writes.join() == errc::canceled);
  });
}

namespace {

// From `from` into a connection, and out of it again.
template <class From>
std::string through_a_connection(expect& e, const From& from) {
  const tcp_pair out;
  auto copies = spawn([&] {
    const auto n = io::copy(out.a, from);
    e(out.a.close_write().has_value());
    return n.value_or(0);
  });
  std::string all = need(io::read_all(out.b));
  e.equal(copies.join(), std::uint64_t{all.size()});
  return all;
}

io::file unnamed(const std::string& contents) {
  io::file f = need(io::file::open("/tmp", O_RDWR | O_TMPFILE));
  if (f.write(contents).value_or(0) != contents.size() || !f.seek(0)) throw std::runtime_error("write");
  return f;
}

std::string numbered(std::size_t size) {
  std::string bytes(size, '\0');
  test::fill(bytes, 0);
  return bytes;
}

}  // namespace

TEST_CASE("io::copy: from files, from where they stand; of those that the kernel makes up as well") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const std::string bytes = numbered(k_size);
    io::file f = unnamed(bytes);
    e(through_a_connection(e, f) == bytes);
    e(through_a_connection(e, f).empty());
    e(f.seek(1'000).has_value());
    e(through_a_connection(e, f) == bytes.substr(1'000));
    e.equal(through_a_connection(e, need(io::file::open("/proc/self/comm"))), need(io::read_file("/proc/self/comm")));
    e(f.seek(0).has_value());
    const io::file to = unnamed("");
    e.equal(io::copy(to, f).value_or(0), k_size);
    e(to.seek(0).has_value());
    e(need(io::read_all(to)) == bytes);
  });
}

TEST_CASE("io::copy: the system moves what comes from files and connections, and says what it cannot move") {
  in_fiber([](expect& e) {
    const auto moved = [](const auto& to, const auto& from) {
      return io::detail::try_copy_in_kernel(nullptr, to, from).has_value();
    };
    const tcp_pair in, out;
    const io::pipe_ends ends = need(io::pipe());
    e(in.a.write("some").has_value() && in.a.close_write().has_value());
    e(moved(out.a, unnamed("contents")));
    e(moved(ends.writer, unnamed("contents")));
    e(moved(out.a, in.b));
    e(!moved(unnamed(""), unnamed("contents")));
    e(!moved(out.a, ends.reader));
    e(!moved(sink(1), unnamed("contents")));
  });
}

TEST_CASE("io::copy: of datagrams each comes as one, and so does each piece of a file") {
  in_fiber([](expect& e) {
    const auto l = need(net::listen_packet("udp", "127.0.0.1:0"));
    const auto to = need(net::dial("udp", l.local_address().to_string()));
    std::string some(100'000, '\0');
    e.equal(io::copy(to, unnamed(numbered(40'000))).value_or(0), std::uint64_t{40'000});
    e.equal(need(l.read_from(some)).size, std::size_t{32'768});
    e.equal(need(l.read_from(some)).size, std::size_t{7'232});

    const tcp_pair out;
    for (const std::size_t size : {3u, 5u, 0u}) e(l.write_to(some.substr(0, size), to.local_address()).has_value());
    e.equal(io::copy(out.a, to).value_or(0), std::uint64_t{8});  // an empty one is the end
  });
}

TEST_CASE("io::copy: into pipes and out of them") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const std::string bytes = numbered(k_size);
    const tcp_pair in;
    io::pipe_ends ends = need(io::pipe());
    wait_group all;
    all.go([&] {
      e.equal(in.a.write(bytes).value_or(0), bytes.size());
      e(in.a.close_write().has_value());
    });
    all.go([&] {
      e.equal(io::copy(ends.writer, in.b).value_or(0), k_size);
      e(ends.writer.close().has_value());
    });
    e(through_a_connection(e, ends.reader) == bytes);
    all.wait();
  });
}

TEST_CASE("io::copy: from a file: a peer that has gone is an error, no signal; a cancel ends it; closed ends") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const io::file f = unnamed(numbered(k_size));
    const io::file endless = need(io::file::open("/dev/zero"));
    {
      tcp_pair out;
      e(out.b.close().has_value());
      std::error_code why;
      while (!why) why = error_of(io::copy(out.a, endless));
      e(why == std::errc::broken_pipe || why == std::errc::connection_reset);
    }
    const tcp_pair out, in;
    auto [ctx, cancel] = with_cancel(background());
    auto files = spawn([&, c = ctx] { return error_of(io::copy(c, out.a, endless)); });
    auto streams = spawn([&, c = ctx] { return error_of(io::copy(c, out.b, in.b)); });  // nothing comes
    test::settle();
    cancel();
    e(files.join() == errc::canceled);
    e(streams.join() == errc::canceled);
    e(error_of(io::copy(net::conn(), f)) == errc::closed);
    e(error_of(io::copy(in.a, io::file())) == errc::closed);
    e(error_of(io::copy(in.a, net::conn())) == errc::closed);
  });
}
