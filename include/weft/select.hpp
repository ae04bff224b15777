// select: wait on several channel operations, take exactly one.
//
//   int i = select(recv(a, [&](std::optional<int> v) { … }), send(b, x, [&] { … }), ctx.done(), after(100ms),
//   otherwise()); switch (select(recv(in, v), send(out, x), ctx.done())) { … }
//
// Among the ready cases one is chosen uniformly. Operands are evaluated in unspecified order, unlike in Go. A body runs
// after the select has left all queues, so it may use the same channels; its exception propagates. Cancellation point:
// throws canceled with nothing taken and no payload touched, except when a case receives from done() of the bound
// context or of one derived from it: then that case is ready like any other. Sending on a closed channel throws
// std::logic_error. The cases refer to their channels: the handles they were made from outlive the call.
#pragma once
#include <concepts>
#include <cstddef>
#include <iterator>
#include <tuple>
#include <type_traits>
#include <utility>

#include "weft/detail/clause.hpp"
#include "weft/timer.hpp"

namespace weft {

// Receive; the value is dropped, stored into `into`, or given to body(received<T>) or body().
template <receivable C>
auto recv(const C& c) {
  return detail::recv_clause<typename C::value_type, detail::nothing>(c.core());
}
template <receivable C>
auto recv(const C& c, detail::got<C>& into) {
  return detail::recv_clause<typename C::value_type, detail::nothing>(c.core(), &into);
}
template <receivable C, detail::body_for<detail::got<C>> F>
auto recv(const C& c, F&& body) {
  return detail::recv_clause<typename C::value_type, F>(c.core(), std::addressof(body));
}

// Send; the payload is moved from only if this case is taken.
template <sendable C>
auto send(const C& c, detail::payload<C>&& value) {
  return detail::send_clause<typename C::sent_type, detail::nothing>(c.core(), std::addressof(value), nullptr);
}
template <sendable C>
auto send(const C& c, const detail::payload<C>& value) {
  return detail::send_clause<typename C::sent_type, detail::nothing>(c.core(), value, nullptr);
}
template <sendable C, std::invocable F>
auto send(const C& c, detail::payload<C>&& value, F&& body) {
  return detail::send_clause<typename C::sent_type, F>(c.core(), std::addressof(value), std::addressof(body));
}
template <sendable C, std::invocable F>
auto send(const C& c, const detail::payload<C>& value, F&& body) {
  return detail::send_clause<typename C::sent_type, F>(c.core(), value, std::addressof(body));
}
template <sendable C>
  requires detail::void_chan<C>
auto send(const C& c) {
  return detail::send_clause<void, detail::nothing>(c.core(), detail::nothing{}, nullptr);
}
template <sendable C, std::invocable F>
  requires detail::void_chan<C>
auto send(const C& c, F&& body) {
  return detail::send_clause<void, F>(c.core(), detail::nothing{}, std::addressof(body));
}

// Ready once the duration has passed.
template <class F>
auto after(timespan d, F&& body) {
  return detail::after_clause<F>(after(d), std::addressof(body));
}

// Taken when no other case is ready; the select then does not block.
inline auto otherwise() { return detail::default_clause<detail::nothing>(nullptr); }
template <std::invocable F>
auto otherwise(F&& body) {
  return detail::default_clause<F>(std::addressof(body));
}

namespace detail {

// Runs the select; the result is the index of the case taken and what its `finish` wants to know.
template <class... A>
selected select_armed(std::tuple<A...>& cases) {
  constexpr std::size_t count = sizeof...(A);
  constexpr bool blocking = !(A::clause::is_default || ...);
  return std::apply(
      [](A&... a) {
        select_operation operations[count + 1] = {a.it.operation()..., {}};
        selected s = select_core(operations, count, blocking);
        if (s.index < 0) {
          constexpr bool defaults[count + 1] = {A::clause::is_default..., true};
          for (s.index = 0; !defaults[s.index];) ++s.index;
        }
        return s;
      },
      cases);
}

template <class R, std::size_t I = 0, class Cases>
R finish_armed(Cases& cases, selected s) {
  if constexpr (I + 1 < std::tuple_size_v<Cases>) {
    if (s.index != static_cast<int>(I)) return finish_armed<R, I + 1>(cases, s);
  }
  return static_cast<R>(std::get<I>(cases).it.finish(s.received));
}

}  // namespace detail

// Returns the index of the case taken. select() with no case blocks for ever (a cancel of the bound context ends it).
template <clause... C>
int select(C&&... cases) {
  if constexpr (sizeof...(C) == 0) {
    return detail::select_core(nullptr, 0, true).index;
  } else {
    std::tuple<detail::armed<C>...> in_place(cases...);
    const detail::selected s = detail::select_armed(in_place);
    detail::finish_armed<void>(in_place, s);
    return s.index;
  }
}

// select whose value is what the body of the taken case returned.
template <clause... C>
auto choose(C&&... cases) {
  using R = std::common_type_t<typename detail::armed<C>::clause::value...>;
  std::tuple<detail::armed<C>...> in_place(cases...);
  const detail::selected s = detail::select_armed(in_place);
  return detail::finish_armed<R>(in_place, s);
}

}  // namespace weft

#include "weft/select_case.hpp"
