// Contexts: cancellation, deadlines and values that flow down a tree. Go's package context, typed.
#pragma once
#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <system_error>
#include <utility>
#include <variant>

#include "weft/channel.hpp"
#include "weft/error.hpp"
#include "weft/time.hpp"

namespace weft {

class cancel_func;
class context_base;

namespace detail {
struct context_node;  // null is background()
WEFT_API void retain(context_node*) noexcept;
WEFT_API void release(context_node*) noexcept;
WEFT_API const void* find_value(const context_node*, const void* key) noexcept;
WEFT_API context_node* make_value_node(const context&, const void* key, std::shared_ptr<const void> value);
WEFT_API context_node* make_custom_node(std::shared_ptr<context_base>);
}  // namespace detail

// A handle of 8 bytes; copies mean the same context. Default-constructed and moved-from it is background(). Every
// member may be called from any thread; none blocks.
class WEFT_API context {
 public:
  context() noexcept = default;
  context(const context& o) noexcept : node_(o.node_) {
    if (node_ != nullptr) detail::retain(node_);
  }
  context(context&& o) noexcept : node_(std::exchange(o.node_, nullptr)) {}
  context& operator=(context o) noexcept {
    std::swap(node_, o.node_);
    return *this;
  }
  ~context() {
    if (node_ != nullptr) detail::release(node_);
  }

  // The earlier of its own and its ancestors' deadline.
  std::optional<clock::time_point> deadline() const;
  // Closes when the context is cancelled. The reference lives as long as the context.
  const recv_chan<void>& done() const;
  // Requested when the context is cancelled; its callbacks run on the thread that cancels, or in a fiber of their own
  // for a deadline.
  std::stop_token stop_token() const;
  // {} while alive, then errc::canceled or errc::deadline_exceeded. Takes no lock; acquire: what happened before the
  // cancel is seen. Once it tells, done() is closed and the fibers bound to this very context are cancelled, those of
  // its descendants when cancel() has returned; so in the moment of the cancel it may wait for the thread that cancels.
  std::error_code err() const noexcept;
  // Null while alive and never after: the cause given to cancel, else a std::system_error of err().
  std::exception_ptr cause() const;
  // The nearest value stored under Key, or null. Lives as long as the context.
  template <class Key>
  const typename Key::type* value() const noexcept;

  friend bool operator==(const context& a, const context& b) noexcept { return a.node_ == b.node_; }

  static context adopt(detail::context_node* node) noexcept {
    context c;
    c.node_ = node;
    return c;
  }
  detail::context_node* node() const noexcept { return node_; }

 private:
  detail::context_node* node_ = nullptr;
};

// Why a context was cancelled: an exception, or a code (which cause() wraps in a std::system_error).
using cancel_cause = std::variant<std::exception_ptr, std::error_code>;

// Cancels one context and all its descendants: when the call returns, every descendant is cancelled, every fiber parked
// on one is ready. Idempotent, callable from any thread, never blocks a fiber; the first cause is kept. Its destructor
// cancels too (Go's `defer cancel()`).
class [[nodiscard]] WEFT_API cancel_func {
 public:
  cancel_func() noexcept = default;
  cancel_func(cancel_func&& o) noexcept : node_(std::exchange(o.node_, nullptr)) {}
  cancel_func& operator=(cancel_func&& o) noexcept;
  ~cancel_func();

  void operator()() const noexcept;
  void operator()(cancel_cause) const noexcept;
  void release() noexcept;  // lets the context live on; then only its parent or deadline cancels it

  static cancel_func adopt(detail::context_node* node) noexcept {
    cancel_func c;
    c.node_ = node;
    return c;
  }
  detail::context_node* node() const noexcept { return node_; }

 private:
  detail::context_node* node_ = nullptr;
};

// auto [ctx, cancel] = with_cancel(parent);  or as a whole, where an lvalue also serves as a context.
struct [[nodiscard]] cancelable {
  context ctx;
  cancel_func cancel;
  operator const context&() const& noexcept { return ctx; }
  operator const context&() const&& = delete;
};

// The root. Its done() closes when the main fiber has returned, and with it every context derived from it is cancelled.
inline context background() noexcept { return {}; }
inline context todo() noexcept { return {}; }

WEFT_API cancelable with_cancel(const context& parent);
WEFT_API cancelable with_cancel_cause(const context& parent);
WEFT_API cancelable with_deadline(const context& parent, clock::time_point);
WEFT_API cancelable with_deadline_cause(const context& parent, clock::time_point, cancel_cause);
WEFT_API cancelable with_timeout(const context& parent, timespan);
WEFT_API cancelable with_timeout_cause(const context& parent, timespan, cancel_cause);
// Values of the parent, but neither its cancellation nor its deadline.
WEFT_API context without_cancel(const context& parent);
// Cancelled also when `token` is requested to stop.
WEFT_API context with_stop_token(const context& parent, std::stop_token token);

// A key is a type: struct request_id { using type = std::string; };
template <class Key>
inline constexpr char context_tag{};
template <class Key>
inline constexpr const void* context_key = &context_tag<Key>;

template <class Key>
context with_value(const context& parent, typename Key::type value) {
  using type = typename Key::type;
  return context::adopt(
      detail::make_value_node(parent, context_key<Key>, std::make_shared<const type>(std::move(value))));
}

template <class Key>
const typename Key::type* context::value() const noexcept {
  return static_cast<const typename Key::type*>(detail::find_value(node_, context_key<Key>));
}

namespace detail {
struct after_registration;
WEFT_API after_registration* register_after(const context&, std::move_only_function<void()>);
WEFT_API bool stop_after(after_registration*) noexcept;
WEFT_API void wait_after(after_registration*) noexcept;
WEFT_API void release(after_registration*) noexcept;
}  // namespace detail

// Of after_func(ctx, f). Calling it: true if it kept f from running. Destructor: stops f, or waits for a running f
// (shielded).
class [[nodiscard]] WEFT_API stop_func {
 public:
  explicit stop_func(detail::after_registration* adopted) noexcept : registration_(adopted) {}
  stop_func(stop_func&& o) noexcept : registration_(std::exchange(o.registration_, nullptr)) {}
  stop_func& operator=(stop_func&& o) noexcept;
  ~stop_func();
  bool operator()() const noexcept;
  void release() noexcept;  // f runs when the context is cancelled, handle or not

 private:
  detail::after_registration* registration_ = nullptr;
};

// Runs f, unbound and in a fiber of its own, once ctx is cancelled (on the cancelling thread where no runtime runs).
template <std::invocable F>
stop_func after_func(const context& ctx, F&& f) {
  return stop_func(detail::register_after(ctx, std::move_only_function<void()>(std::forward<F>(f))));
}

// For contexts of one's own: derive, override, make by make_context. What is not overridden asks the parent. Children
// of one that overrides done() follow that channel; err() must tell before it closes, and where cause() then gives
// null, err() is the cause.
class WEFT_API context_base {
 public:
  explicit context_base(context parent);
  virtual ~context_base();
  const context& parent() const noexcept { return parent_; }
  virtual std::optional<clock::time_point> deadline() const;
  virtual const recv_chan<void>& done() const;
  virtual std::error_code err() const noexcept;
  virtual std::exception_ptr cause() const;
  virtual const void* value(const void* key) const noexcept;  // key == context_key<Key>

 private:
  context parent_;
};

template <std::derived_from<context_base> C, class... A>
context make_context(A&&... arguments) {
  return context::adopt(detail::make_custom_node(std::make_shared<C>(std::forward<A>(arguments)...)));
}

}  // namespace weft

// By identity.
template <>
struct std::hash<weft::context> {
  std::size_t operator()(const weft::context& c) const noexcept { return std::hash<const void*>{}(c.node()); }
};

#include "weft/detail/channel_range.hpp"
