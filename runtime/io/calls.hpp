// The system calls on descriptors that do not block: the value, or the negative error. Again upon EINTR.
//
// Not inlined, since compilers keep the address of errno over calls and a fiber changes its thread in them; and where
// no fiber is made to leave its thread, between the call and errno (base/thread_locals.hpp).
#pragma once
#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>

namespace weft::runtime::calls {

int close(int fd) noexcept;
int open_socket(int family, int type, int protocol) noexcept;  // does not block, closed on exec
long receive(int fd, msghdr*) noexcept;
long receive(int fd, void* into, std::size_t size) noexcept;
long send(int fd, const msghdr*) noexcept;  // never SIGPIPE
long send(int fd, const void* from, std::size_t size) noexcept;
int accept(int fd) noexcept;
int connect(int fd, const sockaddr*, socklen_t) noexcept;
int bind(int fd, const sockaddr*, socklen_t) noexcept;
int listen(int fd) noexcept;
int shutdown(int fd, int how) noexcept;
int set_option(int fd, int level, int name, int value) noexcept;
int pending_error(int fd) noexcept;  // 0: none
int local_address(int fd, sockaddr*, socklen_t*) noexcept;
int peer_address(int fd, sockaddr*, socklen_t*) noexcept;
int ready_now(int fd, short events) noexcept;  // those that poll(2) gives without waiting; -EBADF: not open

}  // namespace weft::runtime::calls
