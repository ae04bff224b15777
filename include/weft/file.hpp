// Files and pipes as readers and writers: Go's os.File and os.Pipe. CMake: weft::net.
//
// What epoll can watch (pipes, terminals, FIFOs) parks the fiber, if it was opened here. All else (regular files,
// directories, devices) blocks the thread for the call, as within blocking(f), while others go on with its processor.
//
// Every operation but those marked otherwise is a cancellation point and comes in two forms: without a context it
// throws `canceled` when the bound one ends, with a context it reports errc::canceled or errc::deadline_exceeded. All
// other errors are results: the system's, and errc::closed on a file that is closed or was never open. What has been
// done counts: bytes that were moved are returned, whatever is cancelled meanwhile.
//
// Any number of fibers and foreign threads may use one file at a time; only its move and its destruction are one's own.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "weft/bytes.hpp"
#include "weft/detail/socket_handle.hpp"
#include "weft/error.hpp"
#include "weft/io.hpp"

namespace weft::io {

// Closed by its destructor. Moved from, or made by default, it is closed.
class WEFT_API file {
 public:
  file() noexcept = default;
  file(file&& o) noexcept : handle_(std::exchange(o.handle_, {})) {}
  file& operator=(file&& o) noexcept;
  ~file();
  explicit operator bool() const noexcept;  // open

  // To be read. Descriptors of weft's are closed on exec.
  static result<file> open(const std::string& path);
  static result<file> open(const context& ctx, const std::string& path);
  // To be read and written; emptied if it is there, else made, with what the umask leaves of 0666.
  static result<file> create(const std::string& path);
  static result<file> create(const context& ctx, const std::string& path);
  // With the flags of open(2), which <fcntl.h> has. A FIFO is waited for until its other end is opened, too.
  static result<file> open(const std::string& path, int flags, unsigned permissions = 0666);
  static result<file> open(const context& ctx, const std::string& path, int flags, unsigned permissions = 0666);
  // Takes an open descriptor over, also if it fails. Not a cancellation point. Parks only if the descriptor does not
  // block (O_NONBLOCK) and can be watched; weft does not set that flag, which other processes may share.
  static result<file> adopt(int fd);

  // Gives what is there, at most the buffer's size; 0: the end, or an empty buffer.
  result<std::size_t> read(mutable_bytes into) const;
  result<std::size_t> read(const context& ctx, mutable_bytes into) const;
  // Writes all of it. A count below the size: it was ended early, and the next call tells why. Without a reader:
  // std::errc::broken_pipe, and no SIGPIPE but on the standard output and error, as in Go. Of several that write at a
  // time each writes the whole before the next begins.
  result<std::size_t> write(const_bytes from) const;
  result<std::size_t> write(const context& ctx, const_bytes from) const;
  // The same from and to a place in a regular file; its position stays.
  result<std::size_t> read_at(std::uint64_t offset, mutable_bytes into) const;
  result<std::size_t> read_at(const context& ctx, std::uint64_t offset, mutable_bytes into) const;
  result<std::size_t> write_at(std::uint64_t offset, const_bytes from) const;
  result<std::size_t> write_at(const context& ctx, std::uint64_t offset, const_bytes from) const;
  // Until the disk has it: fsync(2).
  result<void> sync() const;
  result<void> sync(const context& ctx) const;

  // These do not wait and are no cancellation points.
  result<std::uint64_t> seek(std::int64_t offset, int whence = SEEK_SET) const noexcept;  // the new position
  result<std::uint64_t> size() const noexcept;                                            // of a regular file
  result<void> truncate(std::uint64_t size) const noexcept;
  // Ends the waits of others with errc::closed; calls that block their thread go on. errc::closed: it was closed
  // already.
  result<void> close() const noexcept;
  int native_handle() const noexcept;  // -1 when closed

 private:
  friend struct weft::detail::handle_access;
  explicit file(weft::detail::socket_handle h) noexcept : handle_(h) {}
  static result<file> from(result<weft::detail::socket_handle>);

  weft::detail::socket_handle handle_;
};

struct pipe_ends {
  file reader, writer;
};
// What is written to one end is read from the other, in order; both park. Does not block.
WEFT_API result<pipe_ends> pipe();

// A whole file at once: Go's os.ReadFile and os.WriteFile. write_file empties the file first, or makes it.
WEFT_API result<std::string> read_file(const std::string& path);
WEFT_API result<std::string> read_file(const context& ctx, const std::string& path);
WEFT_API result<void> write_file(const std::string& path, const_bytes what);
WEFT_API result<void> write_file(const context& ctx, const std::string& path, const_bytes what);

}  // namespace weft::io
