// What stands between the parentheses of a select: one class per kind of case. Each is pinned where it was written and
// refers to its channel, payload and body.
#pragma once
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "weft/channel.hpp"
#include "weft/time.hpp"

namespace weft::detail {

template <class T>
T receive_probe(const recv_chan<T>*);
template <class C>
concept recv_of = requires(const C* p) { receive_probe(p); };
template <class C>
concept send_of = requires { typename C::sent_type; };
template <class C>
concept void_chan = std::is_void_v<typename C::sent_type>;
template <class C>
using got = typename received_of<typename C::value_type>::type;

struct nothing {};
template <class C>
using payload = std::conditional_t<std::is_void_v<typename C::sent_type>, nothing, typename C::sent_type>;

template <class F, class R>
concept body_for = std::invocable<F&, R> || std::invocable<F&>;

template <class F, class R>
struct body_result {
  using type = void;
};
template <class F, class R>
  requires std::invocable<F&, R>
struct body_result<F, R> {
  using type = std::invoke_result_t<F&, R>;
};
template <class F, class R>
  requires(!std::invocable<F&, R> && std::invocable<F&>)
struct body_result<F, R> {
  using type = std::invoke_result_t<F&>;
};

template <class C>
concept is_clause = requires { typename std::remove_cvref_t<C>::weft_clause; };
template <class C>
concept rvalue_clause = is_clause<C> && !std::is_lvalue_reference_v<C>;

struct pinned {
  pinned() = default;
  pinned(const pinned&) = delete;
  pinned& operator=(const pinned&) = delete;
};

// Where a received value lands, and how the body gets it.
template <class T>
class landing {
 public:
  using got = std::optional<T>;
  void* address() noexcept { return slot_.address(); }
  got take(bool received) { return received ? got(slot_.take()) : got(); }

 private:
  slot<T> slot_;
};
template <>
class landing<void> {
 public:
  using got = bool;
  void* address() noexcept { return nullptr; }
  got take(bool received) const noexcept { return received; }
};

// F: `nothing`, or a body as it was forwarded (an lvalue reference or not).
template <class T, class F>
class [[nodiscard]] recv_clause : pinned {
 public:
  using weft_clause = void;
  using body_type = F;
  using got = typename landing<T>::got;
  using value = typename body_result<std::remove_reference_t<F>, got>::type;
  using element = T;
  static constexpr bool is_default = false;

  explicit recv_clause(channel_core* c, got* into = nullptr) noexcept : channel_(c), into_(into) {}
  recv_clause(channel_core* c, std::remove_reference_t<F>* body) noexcept
    requires(!std::same_as<F, nothing>)
      : channel_(c), body_(body) {}

  select_operation operation() noexcept { return {channel_, landing_.address(), false}; }
  value finish(bool received) {
    if constexpr (std::same_as<F, nothing>) {
      got v = landing_.take(received);  // NOLINT(misc-const-correctness): it is moved from
      if (into_ != nullptr) *into_ = std::move(v);
    } else if constexpr (std::invocable<std::remove_reference_t<F>&, got>) {
      return std::invoke(*body_, landing_.take(received));
    } else {
      (void)landing_.take(received);
      return std::invoke(*body_);
    }
  }

  channel_core* channel() const noexcept { return channel_; }
  got* into() const noexcept { return into_; }
  F&& body() const noexcept { return static_cast<F&&>(*body_); }

 private:
  channel_core* channel_;
  got* into_ = nullptr;
  std::remove_reference_t<F>* body_ = nullptr;
  [[no_unique_address]] landing<T> landing_;
};

template <class T, class F>
class [[nodiscard]] send_clause : pinned {
 public:
  using weft_clause = void;
  using body_type = F;
  using value = typename body_result<std::remove_reference_t<F>, nothing>::type;
  using element = T;
  static constexpr bool is_default = false;
  using stored = std::conditional_t<std::is_void_v<T>, nothing, T>;

  send_clause(channel_core* c, stored* value, std::remove_reference_t<F>* body) noexcept
      : channel_(c), payload_(value), body_(body) {}
  send_clause(channel_core* c, const stored& value, std::remove_reference_t<F>* body)
      : channel_(c), body_(body), copy_(value) {}

  select_operation operation() noexcept { return {channel_, std::addressof(stored_payload()), true}; }
  value finish(bool) {
    if constexpr (!std::same_as<F, nothing>) return std::invoke(*body_);
  }

  channel_core* channel() const noexcept { return channel_; }
  stored& stored_payload() noexcept { return payload_ != nullptr ? *payload_ : *copy_; }
  F&& body() const noexcept { return static_cast<F&&>(*body_); }

 private:
  channel_core* channel_;
  stored* payload_ = nullptr;
  std::remove_reference_t<F>* body_;
  std::optional<stored> copy_;
};

template <class F>
class [[nodiscard]] default_clause : pinned {
 public:
  using weft_clause = void;
  using body_type = F;
  using value = typename body_result<std::remove_reference_t<F>, nothing>::type;
  using element = void;
  static constexpr bool is_default = true;

  explicit default_clause(std::remove_reference_t<F>* body) noexcept : body_(body) {}
  select_operation operation() noexcept { return {nullptr, nullptr, false}; }
  value finish(bool) {
    if constexpr (!std::same_as<F, nothing>) return std::invoke(*body_);
  }
  F&& body() const noexcept { return static_cast<F&&>(*body_); }

 private:
  std::remove_reference_t<F>* body_;
};

// after(d, body): owns the channel it receives from.
template <class F>
class [[nodiscard]] after_clause : public recv_clause<clock::time_point, F> {
 public:
  after_clause(recv_chan<clock::time_point> c, std::remove_reference_t<F>* body) noexcept
      : recv_clause<clock::time_point, F>(c.core(), body), owned_(std::move(c)) {}

 private:
  recv_chan<clock::time_point> owned_;
};

// A case in place: the clause itself, or the clause made for a bare receiver.
template <class C>
struct armed {
  using clause = std::remove_cvref_t<C>;
  explicit armed(C& c) noexcept : it(c) {}
  clause& it;
};
template <class C>
  requires(!is_clause<C>)
struct armed<C> {
  using clause = recv_clause<typename std::remove_cvref_t<C>::value_type, nothing>;
  explicit armed(const std::remove_cvref_t<C>& c) noexcept : it(c.core()) {}
  clause it;
};

}  // namespace weft::detail

namespace weft {

template <class C>
concept receivable = detail::recv_of<C>;  // chan, recv_chan, timer, ticker
template <class C>
concept sendable = detail::send_of<C>;  // chan, send_chan
template <class C>
concept clause = receivable<std::remove_cvref_t<C>> || detail::rvalue_clause<C>;  // a bare receiver is recv(c)

}  // namespace weft
