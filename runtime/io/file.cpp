// weft::io::file, pipe, read_file, write_file.
#include "weft/file.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/io/calls.hpp"
#include "runtime/io/network.hpp"
#include "runtime/io/system_call.hpp"
#include "runtime/io/transfer.hpp"
#include "runtime/io/writing_turn.hpp"

namespace weft::io {

using namespace runtime;

namespace {

// A call that blocks its thread, again upon EINTR.
template <class... A>
ended call(const context* ctx, long number, A... arguments) {
  for (;;) {
    const result<long> r = cancelable_syscall(ctx, number, arguments...);
    if (r) return {ended::how::done, *r, {}};
    if (r.error().category() == error_category()) return {ended::how::canceled, 0, {}};
    if (r.error() != std::errc::interrupted) return {ended::how::failed, 0, r.error()};
  }
}

template <class... A>
ended call_on(socket_handle h, const context* ctx, long number, A... arguments) {
  const socket_use use(h);
  if (!use) return {ended::how::failed, 0, errc::closed};
  return call(ctx, number, use.fd(), arguments...);
}

template <class F>
long at_once(socket_handle h, F f) noexcept {
  const socket_use use(h);
  return use ? f(use.fd()) : -EBADF;
}

result<void> nothing(const ended& e, const context* ctx) {
  if (e.what == ended::how::done) return {};
  return std::unexpected(error_in(e, ctx));
}

result<std::uint64_t> value_of(long value) noexcept {
  if (value == -EBADF) return std::unexpected(std::error_code(errc::closed));
  if (value < 0) return std::unexpected(system_error_of(value));
  return static_cast<std::uint64_t>(value);
}

bool is_file(socket_handle h) noexcept {
  const socket_use use(h);
  return use && h.record->kind == descriptor_kind::file;
}

result<std::size_t> read_some(socket_handle h, const context* ctx, mutable_bytes into) {
  if (is_file(h)) return conclude(call_on(h, ctx, SYS_read, into.data(), into.size()), ctx);
  const auto read = [&](int fd) { return calls::read(fd, into.data(), into.size()); };
  return conclude(transfer(h, direction::read, ctx, wait_reason::descriptor_readable, read), ctx);
}

ended write_some(socket_handle h, const context* ctx, const char* from, std::size_t size) {
  if (is_file(h)) return call_on(h, ctx, SYS_write, from, size);
  const auto write = [&](int fd) { return calls::write(fd, from, size, fd != STDOUT_FILENO && fd != STDERR_FILENO); };
  return transfer(h, direction::write, ctx, wait_reason::descriptor_writable, write);
}

// Until all is written: write(pointer, how much, how much before) does some of it.
template <class Write>
result<std::size_t> whole(const context* ctx, const_bytes from, Write write) {
  const auto* const bytes = static_cast<const char*>(from.data());
  std::size_t done = 0;
  do {
    const ended e = write(bytes + done, from.size() - done, done);
    if (e.what != ended::how::done && done == 0) return std::unexpected(error_in(e, ctx));
    if (e.what != ended::how::done || e.value == 0) break;  // the next call tells why
    done += static_cast<std::size_t>(e.value);
  } while (done < from.size());
  return done;
}

result<std::size_t> write_all(socket_handle h, const context* ctx, const_bytes from) {
  if (h.record == nullptr) return std::unexpected(std::error_code(errc::closed));
  const writing_turn turn(h, ctx);
  if (turn.error()) return std::unexpected(turn.error());
  return whole(ctx, from, [&](const char* at, std::size_t size, std::size_t) { return write_some(h, ctx, at, size); });
}

result<std::size_t> write_all_at(socket_handle h, const context* ctx, std::uint64_t offset, const_bytes from) {
  return whole(ctx, from, [&](const char* at, std::size_t size, std::size_t done) {
    return call_on(h, ctx, SYS_pwrite64, at, size, offset + done);
  });
}

// Takes the descriptor over. What can be watched is, if it does not block: pipes, terminals, sockets.
result<socket_handle> take(int fd, bool ours) noexcept {
  struct ::stat s{};
  int flags = calls::status(fd, &s);
  if (flags == 0) flags = calls::status_flags(fd);
  if (flags < 0) {
    calls::close(fd);
    return std::unexpected(system_error_of(flags));
  }
  const bool may_wait = S_ISFIFO(s.st_mode) || S_ISCHR(s.st_mode) || S_ISSOCK(s.st_mode);
  if (may_wait && (ours || (flags & O_NONBLOCK) != 0)) {
    if (ours) calls::set_status_flags(fd, flags | O_NONBLOCK);
    if (const auto h = open_descriptor(fd, descriptor_kind::pipe)) return h;
    if (ours) calls::set_status_flags(fd, flags);  // such as /dev/null
  }
  const result<socket_handle> h = open_descriptor(fd, descriptor_kind::file);
  if (!h) calls::close(fd);
  return h;
}

result<socket_handle> open_at(const context* ctx, const std::string& path, int flags, unsigned permissions) {
  const ended e = call(ctx, SYS_openat, AT_FDCWD, path.c_str(), flags | O_CLOEXEC | O_LARGEFILE, permissions);
  if (e.what != ended::how::done) return std::unexpected(error_in(e, ctx));
  return take(static_cast<int>(e.value), true);
}

}  // namespace

file& file::operator=(file&& o) noexcept {
  if (this == &o) return *this;
  close_socket(handle_);
  handle_ = std::exchange(o.handle_, {});
  return *this;
}
file::~file() { close_socket(handle_); }
file::operator bool() const noexcept { return static_cast<bool>(socket_use(handle_)); }

result<file> file::from(result<socket_handle> h) {
  if (!h) return std::unexpected(h.error());
  return file(*h);
}
result<file> file::open(const std::string& path) { return open(path, O_RDONLY); }
result<file> file::open(const context& ctx, const std::string& path) { return open(ctx, path, O_RDONLY); }
result<file> file::create(const std::string& path) { return open(path, O_RDWR | O_CREAT | O_TRUNC); }
result<file> file::create(const context& ctx, const std::string& path) {
  return open(ctx, path, O_RDWR | O_CREAT | O_TRUNC);
}
result<file> file::open(const std::string& path, int flags, unsigned permissions) {
  return from(open_at(nullptr, path, flags, permissions));
}
result<file> file::open(const context& ctx, const std::string& path, int flags, unsigned permissions) {
  return from(open_at(&ctx, path, flags, permissions));
}
result<file> file::adopt(int fd) { return from(take(fd, false)); }

result<std::size_t> file::read(mutable_bytes into) const { return read_some(handle_, nullptr, into); }
result<std::size_t> file::read(const context& ctx, mutable_bytes into) const { return read_some(handle_, &ctx, into); }
result<std::size_t> file::write(const_bytes from) const { return write_all(handle_, nullptr, from); }
result<std::size_t> file::write(const context& ctx, const_bytes from) const { return write_all(handle_, &ctx, from); }

result<std::size_t> file::read_at(std::uint64_t offset, mutable_bytes into) const {
  return conclude(call_on(handle_, nullptr, SYS_pread64, into.data(), into.size(), offset), nullptr);
}
result<std::size_t> file::read_at(const context& ctx, std::uint64_t offset, mutable_bytes into) const {
  return conclude(call_on(handle_, &ctx, SYS_pread64, into.data(), into.size(), offset), &ctx);
}
result<std::size_t> file::write_at(std::uint64_t offset, const_bytes from) const {
  return write_all_at(handle_, nullptr, offset, from);
}
result<std::size_t> file::write_at(const context& ctx, std::uint64_t offset, const_bytes from) const {
  return write_all_at(handle_, &ctx, offset, from);
}

result<void> file::sync() const { return nothing(call_on(handle_, nullptr, SYS_fsync), nullptr); }
result<void> file::sync(const context& ctx) const { return nothing(call_on(handle_, &ctx, SYS_fsync), &ctx); }

result<std::uint64_t> file::seek(std::int64_t offset, int whence) const noexcept {
  return value_of(at_once(handle_, [=](int fd) { return calls::seek(fd, offset, whence); }));
}
result<std::uint64_t> file::size() const noexcept {
  return value_of(at_once(handle_, [](int fd) -> long {
    struct ::stat s{};
    const int e = calls::status(fd, &s);
    return e < 0 ? e : s.st_size;
  }));
}
result<void> file::truncate(std::uint64_t size) const noexcept {
  const auto done = value_of(at_once(handle_, [=](int fd) { return calls::truncate(fd, static_cast<long>(size)); }));
  if (!done) return std::unexpected(done.error());
  return {};
}
result<void> file::close() const noexcept {
  if (close_socket(handle_)) return {};
  return std::unexpected(std::error_code(errc::closed));
}
int file::native_handle() const noexcept {
  const socket_use use(handle_);
  return use ? use.fd() : -1;
}

result<pipe_ends> pipe() {
  std::array<int, 2> fds{};
  if (const int e = calls::make_pipe(fds); e < 0) return std::unexpected(system_error_of(e));
  result<file> reader = file::adopt(fds[0]);
  result<file> writer = file::adopt(fds[1]);
  if (!reader) return std::unexpected(reader.error());
  if (!writer) return std::unexpected(writer.error());
  return pipe_ends{std::move(*reader), std::move(*writer)};
}

result<std::string> read_file(const std::string& path) {
  const result<file> f = file::open(path);
  if (!f) return std::unexpected(f.error());
  return read_all(*f);
}
result<std::string> read_file(const context& ctx, const std::string& path) {
  const result<file> f = file::open(ctx, path);
  if (!f) return std::unexpected(f.error());
  return read_all(ctx, *f);
}

namespace {

result<void> write_whole(const file& f, const context* ctx, const_bytes what) {
  const auto write = [&](const_bytes b) { return ctx == nullptr ? f.write(b) : f.write(*ctx, b); };
  return detail::write_whole(write, static_cast<const char*>(what.data()), what.size());
}

}  // namespace

result<void> write_file(const std::string& path, const_bytes what) {
  const result<file> f = file::open(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!f) return std::unexpected(f.error());
  return write_whole(*f, nullptr, what);
}
result<void> write_file(const context& ctx, const std::string& path, const_bytes what) {
  const result<file> f = file::open(ctx, path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!f) return std::unexpected(f.error());
  return write_whole(*f, &ctx, what);
}

}  // namespace weft::io
