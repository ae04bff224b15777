// Readers and writers as Go's package io has them, and waiting for descriptors that belong to other libraries.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>

#include "weft/bytes.hpp"
#include "weft/detail/socket_handle.hpp"
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

namespace io {

// What bytes come from: net::conn is one. read gives what is there, at most the buffer's size, and 0 at the end; it is
// a cancellation point, and the form with a context reports its end instead of throwing.
template <class T>
concept reader = requires(T& r, mutable_bytes into, const context& ctx) {
  { r.read(into) } -> std::same_as<result<std::size_t>>;
  { r.read(ctx, into) } -> std::same_as<result<std::size_t>>;
};

// Where bytes go to: net::conn is one. A count below the size: it was ended early, and the next call tells why.
template <class T>
concept writer = requires(T& w, const_bytes from, const context& ctx) {
  { w.write(from) } -> std::same_as<result<std::size_t>>;
  { w.write(ctx, from) } -> std::same_as<result<std::size_t>>;
};

namespace detail {

inline constexpr std::size_t k_copy_size = 32 << 10;

template <class Write>
result<void> write_whole(Write& write, const char* from, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const result<std::size_t> n = write(const_bytes(from + done, size - done));
    if (!n) return std::unexpected(n.error());
    if (*n == 0) return std::unexpected(std::make_error_code(std::errc::io_error));  // it would never end
    done += *n;
  }
  return {};
}

template <class Read, class Write>
result<std::uint64_t> copy(Read read, Write write) {
  const std::unique_ptr<char[]> buffer(new char[k_copy_size]);
  for (std::uint64_t total = 0;;) {
    const result<std::size_t> n = read(mutable_bytes(buffer.get(), k_copy_size));
    if (!n) return std::unexpected(n.error());
    if (*n == 0) return total;
    if (const result<void> written = write_whole(write, buffer.get(), *n); !written)
      return std::unexpected(written.error());
    total += *n;
  }
}

// A string as a writer, for read_all.
struct string_writer {
  std::string& to;
  result<std::size_t> operator()(const_bytes from) const {
    to.append(static_cast<const char*>(from.data()), from.size());
    return from.size();
  }
};

// From descriptor to descriptor, without a copy in user space. Nothing: the system cannot, and nothing was moved.
WEFT_API std::optional<result<std::uint64_t>> copy_in_kernel(const context* ctx, weft::detail::socket_handle to,
                                                             weft::detail::socket_handle from);

template <class To, class From>
std::optional<result<std::uint64_t>> try_copy_in_kernel(const context* ctx, const To& to, const From& from) {
  if constexpr (weft::detail::has_handle<To> && weft::detail::has_handle<From>)
    return copy_in_kernel(ctx, weft::detail::handle_access::of(to), weft::detail::handle_access::of(from));
  else
    return {};
}

}  // namespace detail

// Copies until the end of `from`, which is not passed on (see conn::close_write); gives how many bytes that were, or
// the first error of either side. What had been read and not yet written by then is lost. Go's io.Copy, with its buffer
// of 32 KiB; of two descriptors of weft's the system does it (sendfile from files, splice between streams). Blocks, and
// can be cancelled, as read and write do.
template <class To, class From>
  requires writer<std::remove_reference_t<To>> && reader<std::remove_reference_t<From>>
result<std::uint64_t> copy(To&& to, From&& from) {
  if (const auto done = detail::try_copy_in_kernel(nullptr, to, from)) return *done;
  return detail::copy([&](mutable_bytes b) { return from.read(b); }, [&](const_bytes b) { return to.write(b); });
}
template <class To, class From>
  requires writer<std::remove_reference_t<To>> && reader<std::remove_reference_t<From>>
result<std::uint64_t> copy(const context& ctx, To&& to, From&& from) {
  if (const auto done = detail::try_copy_in_kernel(&ctx, to, from)) return *done;
  return detail::copy([&](mutable_bytes b) { return from.read(ctx, b); },
                      [&](const_bytes b) { return to.write(ctx, b); });
}

// Everything up to the end of `from`.
template <class From>
  requires reader<std::remove_reference_t<From>>
result<std::string> read_all(From&& from) {
  std::string all;
  const detail::string_writer to{all};
  if (const result<std::uint64_t> n = detail::copy([&](mutable_bytes b) { return from.read(b); }, to); !n)
    return std::unexpected(n.error());
  return all;
}
template <class From>
  requires reader<std::remove_reference_t<From>>
result<std::string> read_all(const context& ctx, From&& from) {
  std::string all;
  const detail::string_writer to{all};
  if (const result<std::uint64_t> n = detail::copy([&](mutable_bytes b) { return from.read(ctx, b); }, to); !n)
    return std::unexpected(n.error());
  return all;
}

}  // namespace io
}  // namespace weft
