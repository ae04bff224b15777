// Channels with Go's semantics: unbuffered or buffered, waiters first in first out, a value handed straight to a
// waiting peer, close wakes all. Sending on a closed channel, closing twice and closing a null channel throw
// std::logic_error.
//
// Handles are 8 bytes and shallow-const; copies mean the same channel, == and hash are by identity, a moved-from handle
// is null. A null channel blocks for ever and is never ready in a select. Any thread may use a channel; a send happens
// before the receive that takes its value, a close before the receive that sees it, and on an unbuffered channel the
// receive before the end of the send.
#pragma once
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include "weft/detail/channel_core.hpp"
#include "weft/error.hpp"

namespace weft {

class context;
template <class T>
class chan;
template <class T>
class recv_chan;
template <class T>
class send_chan;

namespace detail {
template <class T>
struct received_of {
  using type = std::optional<T>;
};
template <>
struct received_of<void> {
  using type = bool;
};

WEFT_API std::error_code error_of_context(const context&) noexcept;
[[noreturn]] WEFT_API void throw_closed(const char* operation);

inline result<void> sent_or_error(outcome o, const context& ctx) {
  if (o == outcome::done) return {};
  return std::unexpected(error_of_context(ctx));
}

template <class T>
class iterator;
template <class T>
class until_view;

// The receiving operations on a core, shared by every receiving handle.
template <class T>
struct receiver {
  static std::optional<T> recv(channel_core* core) {
    slot<T> room;
    if (channel_receive(core, room.address(), nullptr) != outcome::done) return std::nullopt;
    return room.take();
  }
  static result<T> finish(outcome o, slot<T>& room, std::error_code why) {
    if (o == outcome::done) return room.take();
    return std::unexpected(o == outcome::closed ? make_error_code(errc::closed) : why);
  }
  static result<T> recv(channel_core* core, const context& ctx) {
    slot<T> room;
    const outcome o = channel_receive(core, room.address(), &ctx);
    return finish(o, room, o == outcome::canceled ? error_of_context(ctx) : std::error_code{});
  }
  static result<T> try_recv(channel_core* core) {
    slot<T> room;
    return finish(channel_try_receive(core, room.address()), room, errc::would_block);
  }
};

template <>
struct receiver<void> {
  static bool recv(channel_core* core) { return channel_receive(core, nullptr, nullptr) == outcome::done; }
  static result<void> finish(outcome o, std::error_code why) {
    if (o == outcome::done) return {};
    return std::unexpected(o == outcome::closed ? make_error_code(errc::closed) : why);
  }
  static result<void> recv(channel_core* core, const context& ctx) {
    const outcome o = channel_receive(core, nullptr, &ctx);
    return finish(o, o == outcome::canceled ? error_of_context(ctx) : std::error_code{});
  }
  static result<void> try_recv(channel_core* core) {
    return finish(channel_try_receive(core, nullptr), errc::would_block);
  }
};

// The sending operations.
template <class T>
struct sender {
  static void send(channel_core* core, T&& value) { channel_send(core, std::addressof(value), nullptr); }
  static result<void> send(channel_core* core, const context& ctx, T&& value) {
    return sent_or_error(channel_send(core, std::addressof(value), &ctx), ctx);
  }
  static bool try_send(channel_core* core, T&& value) {
    return channel_try_send(core, std::addressof(value)) == outcome::done;
  }
};

// Constructs a core's reference from what a user may write.
template <std::integral I>
channel_reference new_channel(const element_type& type, I capacity) {
  if constexpr (std::is_unsigned_v<I>) {
    const bool huge = capacity > static_cast<std::make_unsigned_t<std::intmax_t>>(INTMAX_MAX);
    return channel_reference(
        make_channel(type, checked_capacity(huge ? INTMAX_MAX : static_cast<std::intmax_t>(capacity))));
  } else {
    return channel_reference(make_channel(type, checked_capacity(static_cast<std::intmax_t>(capacity))));
  }
}
}  // namespace detail

// What a receive gives: std::optional<T>, nullopt once the channel is closed and drained; for void, bool.
template <class T>
using received = typename detail::received_of<T>::type;

// The receiving end.
template <class T>
class recv_chan {
 public:
  using value_type = T;

  recv_chan(std::nullptr_t = nullptr) noexcept {}
  explicit operator bool() const noexcept { return core() != nullptr; }

  // Blocks until there is a value or the channel is closed and drained. Cancellation point: throws canceled, nothing is
  // taken.
  received<T> recv() const { return detail::receiver<T>::recv(core()); }
  // The same under ctx in place of the bound context: errc::canceled or deadline_exceeded when ctx ends first,
  // errc::closed.
  result<T> recv(const context& ctx) const { return detail::receiver<T>::recv(core(), ctx); }
  // Never blocks: errc::would_block or errc::closed.
  result<T> try_recv() const { return detail::receiver<T>::try_recv(core()); }

  // Snapshots: already old when they arrive.
  std::size_t len() const noexcept { return detail::channel_length(core()); }
  std::size_t cap() const noexcept { return detail::channel_capacity(core()); }
  std::size_t hash() const noexcept { return std::hash<const void*>{}(core()); }

  // for (T v : c): until the channel is closed and drained. An input range; begin() receives.
  detail::iterator<T> begin() const
    requires(!std::is_void_v<T>)
  {
    return detail::iterator<T>(*this, std::nullopt);
  }
  std::default_sentinel_t end() const noexcept { return {}; }
  // The same, ended by a cancel of ctx too.
  detail::until_view<T> until(const context& ctx) const { return detail::until_view<T>(*this, ctx); }

  friend bool operator==(const recv_chan& a, const recv_chan& b) noexcept { return a.core() == b.core(); }

  detail::channel_core* core() const noexcept { return reference_.get(); }
  static recv_chan adopt(detail::channel_core* core) noexcept { return recv_chan(detail::channel_reference(core)); }

 protected:
  explicit recv_chan(detail::channel_reference r) noexcept : reference_(std::move(r)) {}
  detail::channel_reference reference_;
};

// The sending end. For every send: the payload is untouched unless it was sent; a copy is made before the wait, only
// moves happen inside, and a move that throws ends the process.
template <class T>
class send_chan {
 public:
  using sent_type = T;

  send_chan(std::nullptr_t = nullptr) noexcept {}
  send_chan(const chan<T>& c) noexcept;
  explicit operator bool() const noexcept { return core() != nullptr; }

  // Blocks until a receiver or a free place takes the value. Cancellation point: throws canceled, nothing is sent.
  void send(T&& value) const { detail::sender<T>::send(core(), std::move(value)); }
  void send(const T& value) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    send(std::move(copy));
  }
  result<void> send(const context& ctx, T&& value) const {
    return detail::sender<T>::send(core(), ctx, std::move(value));
  }
  result<void> send(const context& ctx, const T& value) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    return send(ctx, std::move(copy));
  }
  // Never blocks: false when nobody is waiting and no place is free.
  bool try_send(T&& value) const { return detail::sender<T>::try_send(core(), std::move(value)); }
  bool try_send(const T& value) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    return try_send(std::move(copy));
  }
  // Wakes every waiter; receivers drain what is buffered. Never blocks.
  void close() const { detail::channel_close(core()); }

  friend bool operator==(const send_chan& a, const send_chan& b) noexcept { return a.core() == b.core(); }
  std::size_t hash() const noexcept { return std::hash<const void*>{}(core()); }
  detail::channel_core* core() const noexcept { return reference_.get(); }

 private:
  detail::channel_reference reference_;
};

template <>
class send_chan<void> {
 public:
  using sent_type = void;

  send_chan(std::nullptr_t = nullptr) noexcept {}
  send_chan(const chan<void>& c) noexcept;
  explicit operator bool() const noexcept { return core() != nullptr; }

  void send() const { detail::channel_send(core(), nullptr, nullptr); }
  result<void> send(const context& ctx) const {
    return detail::sent_or_error(detail::channel_send(core(), nullptr, &ctx), ctx);
  }
  bool try_send() const { return detail::channel_try_send(core(), nullptr) == detail::outcome::done; }
  void close() const { detail::channel_close(core()); }

  friend bool operator==(const send_chan& a, const send_chan& b) noexcept { return a.core() == b.core(); }
  std::size_t hash() const noexcept { return std::hash<const void*>{}(core()); }
  detail::channel_core* core() const noexcept { return reference_.get(); }

 private:
  detail::channel_reference reference_;
};

// Both ends: is a recv_chan, converts to a send_chan.
template <class T>
class chan : public recv_chan<T> {
 public:
  using sent_type = T;

  chan() : chan(0) {}
  template <std::integral I>
  explicit chan(I capacity) : recv_chan<T>(detail::new_channel(detail::element_of<T>, capacity)) {}
  chan(std::nullptr_t) noexcept {}

  void send(T&& value) const { detail::sender<T>::send(this->core(), std::move(value)); }
  void send(const T& value) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    send(std::move(copy));
  }
  result<void> send(const context& ctx, T&& value) const {
    return detail::sender<T>::send(this->core(), ctx, std::move(value));
  }
  result<void> send(const context& ctx, const T& value) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    return send(ctx, std::move(copy));
  }
  bool try_send(T&& value) const { return detail::sender<T>::try_send(this->core(), std::move(value)); }
  bool try_send(const T& value) const
    requires std::copy_constructible<T>
  {
    T copy(value);
    return try_send(std::move(copy));
  }
  void close() const { detail::channel_close(this->core()); }
};

template <>
class chan<void> : public recv_chan<void> {
 public:
  using sent_type = void;

  chan() : chan(0) {}
  template <std::integral I>
  explicit chan(I capacity) : recv_chan<void>(detail::new_channel(detail::element_of<void>, capacity)) {}
  chan(std::nullptr_t) noexcept {}

  void send() const { detail::channel_send(core(), nullptr, nullptr); }
  result<void> send(const context& ctx) const {
    return detail::sent_or_error(detail::channel_send(core(), nullptr, &ctx), ctx);
  }
  bool try_send() const { return detail::channel_try_send(core(), nullptr) == detail::outcome::done; }
  void close() const { detail::channel_close(core()); }
};

namespace detail {
inline channel_reference share(channel_core* core) noexcept {
  if (core != nullptr) retain(core);
  return channel_reference(core);
}
}  // namespace detail

template <class T>
send_chan<T>::send_chan(const chan<T>& c) noexcept : reference_(detail::share(c.core())) {}
inline send_chan<void>::send_chan(const chan<void>& c) noexcept : reference_(detail::share(c.core())) {}

template <class T>
recv_chan(const chan<T>&) -> recv_chan<T>;
template <class T>
send_chan(const chan<T>&) -> send_chan<T>;

}  // namespace weft

template <class T>
struct std::hash<weft::recv_chan<T>> {
  std::size_t operator()(const weft::recv_chan<T>& c) const noexcept { return c.hash(); }
};
template <class T>
struct std::hash<weft::send_chan<T>> {
  std::size_t operator()(const weft::send_chan<T>& c) const noexcept { return c.hash(); }
};
template <class T>
struct std::hash<weft::chan<T>> : std::hash<weft::recv_chan<T>> {};

#include "weft/context.hpp"  // for until(ctx); brings detail/channel_range.hpp
