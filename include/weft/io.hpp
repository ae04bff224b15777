// Waiting for descriptors that belong to other libraries: database clients, inotify, pipes.
#pragma once
#include "weft/error.hpp"

namespace weft {

class context;

// Blocks until a read of the descriptor (for wait_writable: a write) would not block, or would fail; returns at once
// where that is so already. Reads nothing itself. The descriptor should not block (O_NONBLOCK), for somebody else may
// come first.
//
// Cancellation point; a call that is given a context reports its end instead of throwing. Any number of fibers and
// foreign threads may wait for one descriptor. While the call lasts the descriptor must stay open: closed meanwhile,
// the wait goes on until the context ends it, or fails with errc::closed once weft opens a descriptor of that number.
// A regular file is always ready. A number that is not open gives the system's bad_file_descriptor. A socket of weft's
// own (native_handle) may be waited for too; its close gives errc::closed.
WEFT_API result<void> wait_readable(int fd);
WEFT_API result<void> wait_readable(const context& ctx, int fd);
WEFT_API result<void> wait_writable(int fd);
WEFT_API result<void> wait_writable(const context& ctx, int fd);

}  // namespace weft
