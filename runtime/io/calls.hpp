// The system calls on descriptors that do not block: the value, or the negative error. Again upon EINTR.
//
// Not inlined, since compilers keep the address of errno over calls and a fiber changes its thread in them; and where
// no fiber is made to leave its thread, between the call and errno (base/thread_locals.hpp).
#pragma once
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <array>
#include <cstddef>

namespace weft::runtime::calls {

int close(int fd) noexcept;
int open_socket(int family, int type, int protocol) noexcept;  // does not block, closed on exec
long receive(int fd, msghdr*) noexcept;
long receive(int fd, void* into, std::size_t size) noexcept;
long send(int fd, const msghdr*) noexcept;  // never SIGPIPE
long send(int fd, const void* from, std::size_t size) noexcept;
long read(int fd, void* into, std::size_t size) noexcept;
long write(int fd, const void* from, std::size_t size, bool quiet) noexcept;  // quiet: never SIGPIPE
long send_file(int to, int from, std::size_t most) noexcept;                  // from where it stands; never SIGPIPE
long splice(int from, int to, std::size_t most) noexcept;  // one of them a pipe; does not block; never SIGPIPE
int make_pipe(std::array<int, 2>& ends) noexcept;          // does not block, closed on exec
int status(int fd, struct ::stat*) noexcept;
int status_flags(int fd) noexcept;
int set_status_flags(int fd, int flags) noexcept;
long seek(int fd, long offset, int whence) noexcept;
int truncate(int fd, long size) noexcept;
int accept(int fd) noexcept;
int connect(int fd, const sockaddr*, socklen_t) noexcept;
int bind(int fd, const sockaddr*, socklen_t) noexcept;
int listen(int fd) noexcept;
int shutdown(int fd, int how) noexcept;
int set_option(int fd, int level, int name, int value) noexcept;
int pending_error(int fd) noexcept;  // 0: none
bool is_datagram(int fd) noexcept;   // a socket whose messages keep their bounds
int local_address(int fd, sockaddr*, socklen_t*) noexcept;
int peer_address(int fd, sockaddr*, socklen_t*) noexcept;
int ready_now(int fd, short events) noexcept;  // those that poll(2) gives without waiting; -EBADF: not open

}  // namespace weft::runtime::calls
