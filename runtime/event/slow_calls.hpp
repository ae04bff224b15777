// The system calls that a signal may end with EINTR, where the kernel would restart them or not: signal(7),
// "Interruption of system calls and library functions by signal handlers". Whoever makes one must be ready for it.
//
// Not here: close, whose EINTR has closed; ioctl, most of whose requests never block and are not asked about EINTR;
// nanosleep, which tells with EINTR how much is left: a handler ends it anyway, and it is not restarted, so whoever
// stands at its instruction has not begun.
#pragma once
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "arch/arch.hpp"

namespace weft::runtime {

// The interrupted code is at a system call instruction.
inline bool at_slow_call(const ucontext_t& u) noexcept {
  switch (arch::frame_system_call(u)) {
    case SYS_futex: {
      const long operation = arch::frame_system_call_argument(u, 1) & FUTEX_CMD_MASK;
      return operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET;
    }
    case SYS_fcntl: {
      const long command = arch::frame_system_call_argument(u, 1);
      return command == F_SETLKW || command == F_OFD_SETLKW;
    }
#ifdef SYS_open  // aarch64 has none of these
    case SYS_open:
    case SYS_creat:
    case SYS_pause:
    case SYS_poll:
    case SYS_select:
    case SYS_epoll_wait:
#endif
    case SYS_read:
    case SYS_readv:
    case SYS_pread64:
    case SYS_preadv:
    case SYS_preadv2:
    case SYS_write:
    case SYS_writev:
    case SYS_pwrite64:
    case SYS_pwritev:
    case SYS_pwritev2:
    case SYS_openat:
    case SYS_openat2:
    case SYS_wait4:
    case SYS_waitid:
    case SYS_accept:
    case SYS_accept4:
    case SYS_connect:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendmmsg:
    case SYS_flock:
    case SYS_mq_timedreceive:
    case SYS_mq_timedsend:
    case SYS_getrandom:
    case SYS_ppoll:
    case SYS_pselect6:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_msgrcv:
    case SYS_msgsnd:
    case SYS_io_getevents:
    case SYS_io_pgetevents:
    case SYS_io_uring_enter:
    case SYS_sendfile:
    case SYS_splice:
    case SYS_tee:
    case SYS_vmsplice:
    case SYS_copy_file_range:
      return true;
    default:
      return false;
  }
}

}  // namespace weft::runtime
