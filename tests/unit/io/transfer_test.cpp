// Operations on sockets: an attempt that would have blocked, and what comes before the wait.
#include "runtime/io/transfer.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "runtime/base/clock.hpp"
#include "runtime/io/calls.hpp"
#include "runtime/io/socket.hpp"
#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using namespace weft::runtime;
using test::expect;
using test::in_fiber;

namespace {

// Both ends of a stream, the first of them weft's.
struct stream_pair {
  socket_handle ours;
  int peer = -1;
  stream_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw std::runtime_error("socketpair");
    peer = ends[1];
    ours = open_socket(ends[0]).value();
  }
  ~stream_pair() {
    close_socket(ours);
    ::close(peer);
  }
  void write(std::string_view text) const { static_cast<void>(!::write(peer, text.data(), text.size())); }
};

long receive_one(int fd) {
  char c = 0;
  return calls::receive(fd, &c, 1);
}

}  // namespace

// Two readers. One event tells of two bytes and wakes the first, who takes one of them, while the second has found
// nothing and not yet begun to wait. There is no further event: the second has to look again.
TEST_CASE("transfer: an event that wakes another ends the wait of who is about to begin one") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const stream_pair p;
    const auto read = [&](auto call, std::int64_t until) {
      return transfer(p.ours, direction::read, nullptr, wait_reason::network_read, call, until).what;
    };
    auto first = spawn([&] { return read(receive_one, k_forever) == ended::how::done; });
    test::await_waiting("network read", 1);
    bool tried = false;
    const auto second = [&](int fd) -> long {
      const long value = receive_one(fd);
      if (!std::exchange(tried, true)) {
        p.write("ab");
        e(first.join());
      }
      return value;
    };
    e(read(second, saturating_add(now_ns(), 5'000'000'000)) == ended::how::done);
  });
}
