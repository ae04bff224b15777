// Ten thousand idle connections.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/net.hpp"
#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::expect;
using test::need;

namespace {

// A process that connects as often as asked and holds its ends until it is let go: descriptors and memory of another.
// It is forked before the run and makes system calls alone.
class idle_clients {
 public:
  explicit idle_clients(int count) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    process_ = ::fork();
    if (process_ == 0) {
      ::close(ends[1]);
      ::_exit(connect_and_wait(ends[0], count));
    }
    ::close(ends[0]);
    tell_ = ends[1];
  }
  ~idle_clients() {
    let_go();
    int status = 0;
    ::waitpid(process_, &status, 0);
    CHECK(status == 0);
  }
  idle_clients(const idle_clients&) = delete;
  idle_clients& operator=(const idle_clients&) = delete;

  void begin(std::uint16_t port) const { static_cast<void>(!::write(tell_, &port, sizeof port)); }
  void let_go() {
    if (tell_ >= 0) ::close(std::exchange(tell_, -1));
  }

 private:
  static int connect_and_wait(int told, int count) noexcept {
    std::uint16_t port = 0;
    if (::read(told, &port, sizeof port) != sizeof port) return 1;
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < count; ++i) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return 2;
    }
    return ::read(told, &port, 1) == 0 ? 0 : 3;
  }

  int tell_ = -1;
  pid_t process_;
};

std::int64_t cpu_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

bool may_open(rlim_t descriptors) {
  rlimit l{};
  if (::getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_max < descriptors) return false;
  l.rlim_cur = std::max(l.rlim_cur, descriptors);
  return ::setrlimit(RLIMIT_NOFILE, &l) == 0;
}

}  // namespace

TEST_CASE("net memory: 10,000 idle connections, each with a fiber that reads, at most 6,000 bytes each, and no CPU") {
  constexpr int k_connections = 10'000;
  constexpr std::size_t k_each = 6'000;
  if (test::scale_factor() < 1 || !may_open(k_connections + 200)) {
    MESSAGE("only at full scale, and where so many descriptors may be open");
    return;
  }
  idle_clients clients(k_connections);
  expect e;
  std::size_t taken = 0;
  std::int64_t us = 0;
  run([&] {
    auto l = need(net::listen("tcp", "127.0.0.1:0"));
    const std::size_t before = test::resident_bytes();
    clients.begin(l.local_address().port());
    wait_group all;
    for (int i = 0; i < k_connections; ++i)
      all.go([&e, c = need(l.accept())] {
        std::array<char, 16> some{};
        e.equal(c.read(some).value_or(9), 0u);
      });
    test::await_waiting("network read", k_connections);
    taken = test::resident_bytes() - before;
    e(taken <= k_each * k_connections);
    this_fiber::sleep_for(100ms);
    us = -cpu_us();
    this_fiber::sleep_for(2s);
    us += cpu_us();
    e(us < 20'000);
    clients.let_go();
    all.wait();
  });
  MESSAGE("bytes for each idle connection: ", taken / k_connections, "; CPU in 2 s: ", us, " us");
  e.report();
}
