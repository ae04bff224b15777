// select over a set of cases known only at run time: Go's reflect.Select.
#pragma once
#include <concepts>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "weft/detail/clause.hpp"

namespace weft {

namespace detail {

class WEFT_API kept_case {
 public:
  virtual ~kept_case();
  virtual select_operation operation() = 0;
  virtual void finish(bool received) = 0;
  bool is_default = false;
};

template <class F>
using kept_body = std::conditional_t<std::same_as<F, nothing>, nothing, std::decay_t<F>>;

template <class Clause>
kept_body<typename Clause::body_type> keep_body(Clause& c) {
  if constexpr (std::same_as<typename Clause::body_type, nothing>)
    return {};
  else
    return kept_body<typename Clause::body_type>(c.body());
}

template <class T, class F>
class kept_recv final : public kept_case {
 public:
  explicit kept_recv(recv_clause<T, F>& c)
      : channel_(share(c.channel())), body_(keep_body(c)), clause_(channel_.get(), target(c)) {}
  select_operation operation() override { return clause_.operation(); }
  void finish(bool received) override { clause_.finish(received); }

 private:
  using inner = recv_clause<T, std::conditional_t<std::same_as<F, nothing>, nothing, kept_body<F>>>;
  auto target(recv_clause<T, F>& c) {
    if constexpr (std::same_as<F, nothing>)
      return c.into();
    else
      return &body_;
  }
  channel_reference channel_;
  [[no_unique_address]] kept_body<F> body_;
  inner clause_;
};

// A copyable payload is copied for each select, so the case sends it again and again; a move-only one goes once, then
// the case is never ready.
template <class T, class F>
class kept_send final : public kept_case {
 public:
  using stored = typename send_clause<T, F>::stored;
  explicit kept_send(send_clause<T, F>& c)
      : channel_(share(c.channel())), payload_(std::move(c.stored_payload())), body_(keep_body(c)) {}
  select_operation operation() override {
    if constexpr (std::copy_constructible<stored>) {
      outgoing_.emplace(payload_);
      return {channel_.get(), &*outgoing_, true};
    } else {
      return {sent_ ? nullptr : channel_.get(), &payload_, true};
    }
  }
  void finish(bool) override {
    sent_ = true;
    if constexpr (!std::same_as<F, nothing>) std::invoke(body_);
  }

 private:
  channel_reference channel_;
  stored payload_;
  [[no_unique_address]] kept_body<F> body_;
  std::optional<stored> outgoing_;
  bool sent_ = false;
};

template <class F>
class kept_default final : public kept_case {
 public:
  explicit kept_default(default_clause<F>& c) : body_(keep_body(c)) { is_default = true; }
  select_operation operation() override { return {nullptr, nullptr, false}; }
  void finish(bool) override {
    if constexpr (!std::same_as<F, nothing>) std::invoke(body_);
  }

 private:
  [[no_unique_address]] kept_body<F> body_;
};

template <class T, class F>
std::unique_ptr<kept_case> keep(recv_clause<T, F>& c) {
  return std::make_unique<kept_recv<T, F>>(c);
}
template <class T, class F>
std::unique_ptr<kept_case> keep(send_clause<T, F>& c) {
  return std::make_unique<kept_send<T, F>>(c);
}
template <class F>
std::unique_ptr<kept_case> keep(default_clause<F>& c) {
  return std::make_unique<kept_default<F>>(c);
}

}  // namespace detail

// Owns its handle, payload and body, so it can be kept and used again.
class WEFT_API select_case {
 public:
  template <clause C>
    requires(!std::same_as<std::remove_cvref_t<C>, select_case>)
  select_case(C&& c) : kept_(make(detail::armed<C>(c))) {}
  select_case(select_case&&) noexcept = default;
  select_case& operator=(select_case&&) noexcept = default;
  ~select_case() = default;

  detail::kept_case& kept() const noexcept { return *kept_; }

 private:
  template <class A>
  static std::unique_ptr<detail::kept_case> make(A&& a) {
    return detail::keep(a.it);
  }
  std::unique_ptr<detail::kept_case> kept_;
};

// As the other forms; the index is into `cases`. An empty span blocks for ever.
WEFT_API int select(std::span<select_case> cases);

}  // namespace weft
