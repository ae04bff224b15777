#include "runtime/io/calls.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <cerrno>

namespace weft::runtime::calls {
namespace {

template <class Call>
[[gnu::always_inline]] inline auto again(Call call) noexcept {
  for (;;) {
    const auto value = call();
    if (value >= 0) return value;
    const int error = errno;
    if (error != EINTR) return static_cast<decltype(call())>(-error);
  }
}

// The system has no flag against it here: it is held back, and taken away if it came, which it may beside a count of
// bytes. One that waited before stays.
template <class Call>
[[gnu::always_inline]] inline long without_sigpipe(Call call) noexcept {
  sigset_t pipe, before, waiting;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  sigemptyset(&waiting);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
  if (sigismember(&before, SIGPIPE) == 1) sigpending(&waiting);
  const long value = call();
  if (sigismember(&waiting, SIGPIPE) == 0) {
    const timespec at_once{};
    while (::sigtimedwait(&pipe, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return value;
}

}  // namespace

[[gnu::noinline, gnu::section("weft_same_thread")]] int close(int fd) noexcept { return ::close(fd) == 0 ? 0 : -errno; }

[[gnu::noinline, gnu::section("weft_same_thread")]] int open_socket(int family, int type, int protocol) noexcept {
  return again([=] { return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol); });
}
[[gnu::noinline, gnu::section("weft_same_thread")]] long receive(int fd, msghdr* m) noexcept {
  return again([=] { return static_cast<long>(::recvmsg(fd, m, MSG_CMSG_CLOEXEC)); });
}
[[gnu::noinline, gnu::section("weft_same_thread")]] long receive(int fd, void* into, std::size_t size) noexcept {
  return again([=] { return static_cast<long>(::recv(fd, into, size, 0)); });
}
[[gnu::noinline, gnu::section("weft_same_thread")]] long send(int fd, const msghdr* m) noexcept {
  return again([=] { return static_cast<long>(::sendmsg(fd, m, MSG_NOSIGNAL)); });
}
[[gnu::noinline, gnu::section("weft_same_thread")]] long send(int fd, const void* from, std::size_t size) noexcept {
  return again([=] { return static_cast<long>(::send(fd, from, size, MSG_NOSIGNAL)); });
}
[[gnu::noinline, gnu::section("weft_same_thread")]] long read(int fd, void* into, std::size_t size) noexcept {
  return again([=] { return static_cast<long>(::read(fd, into, size)); });
}
[[gnu::noinline, gnu::section("weft_same_thread")]] long write(int fd, const void* from, std::size_t size,
                                                               bool quiet) noexcept {
  const auto call = [=] { return again([=] { return static_cast<long>(::write(fd, from, size)); }); };
  return quiet ? without_sigpipe(call) : call();
}
[[gnu::noinline, gnu::section("weft_same_thread")]] long send_file(int to, int from, std::size_t most) noexcept {
  return without_sigpipe([=] { return again([=] { return static_cast<long>(::sendfile(to, from, nullptr, most)); }); });
}
[[gnu::noinline, gnu::section("weft_same_thread")]] long splice(int from, int to, std::size_t most) noexcept {
  return without_sigpipe([=] {
    return again([=] { return static_cast<long>(::splice(from, nullptr, to, nullptr, most, SPLICE_F_NONBLOCK)); });
  });
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int make_pipe(std::array<int, 2>& ends) noexcept {
  return ::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) == 0 ? 0 : -errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int status(int fd, struct ::stat* s) noexcept {
  return ::fstat(fd, s) == 0 ? 0 : -errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int status_flags(int fd) noexcept {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 ? flags : -errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int set_status_flags(int fd, int flags) noexcept {
  return ::fcntl(fd, F_SETFL, flags) == 0 ? 0 : -errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] long seek(int fd, long offset, int whence) noexcept {
  const off_t now = ::lseek(fd, offset, whence);
  return now >= 0 ? now : -errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int truncate(int fd, long size) noexcept {
  return again([=] { return ::ftruncate(fd, size); });
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int accept(int fd) noexcept {
  return again([=] { return ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); });
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int connect(int fd, const sockaddr* to, socklen_t size) noexcept {
  return ::connect(fd, to, size) == 0 ? 0 : -errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int bind(int fd, const sockaddr* to, socklen_t size) noexcept {
  return ::bind(fd, to, size) == 0 ? 0 : -errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int listen(int fd) noexcept {
  return ::listen(fd, SOMAXCONN) == 0 ? 0 : -errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int shutdown(int fd, int how) noexcept {
  return ::shutdown(fd, how) == 0 ? 0 : -errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int set_option(int fd, int level, int name, int value) noexcept {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int pending_error(int fd) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] bool is_datagram(int fd) noexcept {
  int type = SOCK_STREAM;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type != SOCK_STREAM;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int local_address(int fd, sockaddr* to, socklen_t* size) noexcept {
  return ::getsockname(fd, to, size) == 0 ? 0 : -errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int peer_address(int fd, sockaddr* to, socklen_t* size) noexcept {
  return ::getpeername(fd, to, size) == 0 ? 0 : -errno;
}
[[gnu::noinline, gnu::section("weft_same_thread")]] int ready_now(int fd, short events) noexcept {
  pollfd one{fd, events, 0};
  const int n = again([&] { return ::poll(&one, 1, 0); });
  if (n <= 0) return n;
  return (one.revents & POLLNVAL) != 0 ? -EBADF : one.revents;
}

}  // namespace weft::runtime::calls
