// The public face, errors, time, channels, select, timers, signals: every declaration in the form that programs are
// written against. For the compiler: names, overloads, what is noexcept, explicit, deduced or refused. What they mean
// is tested elsewhere.
#include <csignal>
#include <functional>
#include <ranges>
#include <string>
#include <unordered_set>

#include "face.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using face::is;
using face::owner;

namespace {

using instants = recv_chan<clock::time_point>;
using fractional_days = std::chrono::duration<double, std::ratio<86400>>;

template <class C>
concept channel_handle = sizeof(C) == 8 && std::copyable<C> && std::equality_comparable<C> &&
                         std::is_nothrow_constructible_v<C, std::nullptr_t> && std::convertible_to<std::nullptr_t, C> &&
                         !std::convertible_to<C, bool> && requires(const C& c) { static_cast<bool>(c); };
template <class C, class T>
concept receives = requires(const C& c, const context& ctx) {
  typename C::value_type;
  { c.recv() } -> std::same_as<received<T>>;
  { c.recv(ctx) } -> std::same_as<result<T>>;
  { c.try_recv() } -> std::same_as<result<T>>;
  { c.len() } noexcept -> std::same_as<std::size_t>;
  { c.cap() } noexcept -> std::same_as<std::size_t>;
  { c.hash() } noexcept -> std::same_as<std::size_t>;
  { std::hash<C>{}(c) } noexcept -> std::same_as<std::size_t>;
};
template <class C, class T>
concept sends = requires(const C& c, T&& moved, const context& ctx) {
  typename C::sent_type;
  { c.send(std::move(moved)) } -> std::same_as<void>;
  { c.send(ctx, std::move(moved)) } -> std::same_as<result<void>>;
  { c.try_send(std::move(moved)) } -> std::same_as<bool>;
  { c.close() } -> std::same_as<void>;
};
template <class C, class T>
concept sends_copies = requires(const C& c, const T& kept, const context& ctx) {
  { c.send(kept) } -> std::same_as<void>;
  { c.send(ctx, kept) } -> std::same_as<result<void>>;
  { c.try_send(kept) } -> std::same_as<bool>;
};
template <class C>
concept sends_nothing = requires(const C& c, const context& ctx) {
  { c.send() } -> std::same_as<void>;
  { c.send(ctx) } -> std::same_as<result<void>>;
  { c.try_send() } -> std::same_as<bool>;
  { c.close() } -> std::same_as<void>;
};
template <class C>
concept closes = requires(const C& c) { c.close(); };
template <class C>
concept receives_any = requires(const C& c) { c.recv(); };
template <class C, class F>
concept takes_body = requires(const C& c, F f) { recv(c, f); };

}  // namespace

// Errors and time.
static_assert(is<result<int>, std::expected<int, std::error_code>>);
static_assert(static_cast<int>(errc::canceled) == 1 && static_cast<int>(errc::would_block) == 4);
static_assert(std::is_error_code_enum_v<errc> && noexcept(make_error_code(errc::closed)));
static_assert(!std::derived_from<canceled, std::exception>);
static_assert(requires(const canceled& c) {
  { c.code() } noexcept -> std::same_as<std::error_code>;
  { c.cause() } noexcept -> std::same_as<std::exception_ptr>;
});
static_assert(requires(const result<int>& r, result<owner> move_only, result<void> none) {
  { error_of(r) } noexcept -> std::same_as<std::error_code>;
  { unwrap(r) } -> std::same_as<int>;
  { unwrap(std::move(move_only)) } -> std::same_as<owner>;
  { unwrap(none) } -> std::same_as<void>;
});
static_assert(std::chrono::is_clock_v<weft::clock> && clock::is_steady && noexcept(clock::now()));
static_assert(is<clock::duration, std::chrono::nanoseconds>);
static_assert(is<clock::time_point, std::chrono::time_point<weft::clock>>);
static_assert(std::convertible_to<fractional_days, timespan> &&
              std::is_nothrow_constructible_v<timespan, fractional_days>);
static_assert((static_cast<void>(timespan(1h)), true));  // in a constant expression

// Channels.
static_assert(is<received<int>, std::optional<int>> && is<received<void>, bool>);
static_assert(channel_handle<chan<int>> && channel_handle<recv_chan<int>> && channel_handle<send_chan<int>>);
static_assert(channel_handle<chan<void>> && channel_handle<recv_chan<void>> && channel_handle<send_chan<void>>);
static_assert(channel_handle<chan<owner>> && channel_handle<chan<chan<int>>>);
static_assert(std::is_nothrow_default_constructible_v<recv_chan<int>>);
static_assert(std::is_nothrow_default_constructible_v<send_chan<void>>);
static_assert(receives<recv_chan<int>, int> && receives<chan<owner>, owner>);
static_assert(receives<recv_chan<void>, void> && receives<chan<void>, void>);
static_assert(sends<chan<int>, int> && sends<send_chan<int>, int> && sends<chan<owner>, owner>);
static_assert(sends_copies<chan<int>, int> && sends_copies<send_chan<std::string>, std::string>);
static_assert(!sends_copies<chan<owner>, owner> && !sends_copies<send_chan<owner>, owner>);
static_assert(sends_nothing<chan<void>> && sends_nothing<send_chan<void>>);
// Directions: what Go refuses to compile.
static_assert(!sends<recv_chan<int>, int> && !closes<recv_chan<int>> && !receives_any<send_chan<int>>);
static_assert(std::convertible_to<chan<int>, recv_chan<int>> && std::derived_from<chan<int>, recv_chan<int>>);
static_assert(std::convertible_to<chan<int>, send_chan<int>> && !std::convertible_to<recv_chan<int>, chan<int>>);
static_assert(!std::convertible_to<send_chan<int>, chan<int>> && !std::convertible_to<chan<int>, chan<long>>);
static_assert(!std::convertible_to<recv_chan<int>, send_chan<int>>);
static_assert(std::constructible_from<chan<int>, int> && std::constructible_from<chan<int>, std::size_t>);
static_assert(std::constructible_from<chan<void>, short> && !std::convertible_to<int, chan<int>>);
static_assert(!std::constructible_from<chan<int>, double>);
static_assert(is<decltype(recv_chan(std::declval<const chan<int>&>())), recv_chan<int>>);
static_assert(is<decltype(send_chan(std::declval<const chan<int>&>())), send_chan<int>>);
static_assert(std::ranges::input_range<const chan<int>> && std::ranges::input_range<recv_chan<owner>>);
static_assert(std::ranges::input_range<ticker> && !std::ranges::range<chan<void>>);
static_assert(is<decltype(std::declval<const chan<int>&>().end()), std::default_sentinel_t>);
static_assert(is<std::ranges::range_reference_t<const chan<owner>>, owner&&>);
using until_cancelled = decltype(std::declval<const chan<int>&>().until(background()));
static_assert(std::ranges::view<until_cancelled> && std::ranges::input_range<until_cancelled>);

// Select.
static_assert(receivable<chan<int>> && receivable<recv_chan<void>> && receivable<timer> && receivable<ticker>);
static_assert(!receivable<send_chan<int>> && !receivable<context> && !receivable<int>);
static_assert(sendable<chan<int>> && sendable<send_chan<void>> && !sendable<recv_chan<int>> && !sendable<timer>);
static_assert(clause<chan<int>&> && clause<const instants&> && clause<timer&> && clause<recv_chan<void>>);
static_assert(!clause<send_chan<int>&> && !clause<int>);
using receiving = decltype(recv(std::declval<const chan<int>&>()));
static_assert(clause<receiving> && !clause<receiving&>);  // a clause lives in the call alone
static_assert(!std::move_constructible<receiving> && !std::copy_constructible<receiving>);
static_assert(requires(const chan<int>& c, const chan<owner>& o, const chan<void>& v, const timer& t,
                       std::optional<int>& into, bool& flag, int lvalue, owner&& p, void (&body)()) {
  { recv(c) } -> clause;
  { recv(t) } -> clause;
  { recv(c, into) } -> clause;
  { recv(v, flag) } -> clause;
  {
    recv(c, [](std::optional<int>) {})
  } -> clause;
  { recv(c, body) } -> clause;
  {
    recv(v, [](bool) {})
  } -> clause;
  { send(c, 1) } -> clause;
  { send(c, lvalue) } -> clause;
  { send(o, std::move(p)) } -> clause;
  { send(send_chan<int>(c), 1, body) } -> clause;
  {
    send(c, lvalue, [] {})
  } -> clause;
  { send(v) } -> clause;
  { send(v, body) } -> clause;
  { after(1ms) } -> std::same_as<instants>;
  {
    after(1ms, [](std::optional<clock::time_point>) {})
  } -> clause;
  { after(1ms, body) } -> clause;
  { otherwise() } -> clause;
  { otherwise(body) } -> clause;
  { select() } -> std::same_as<int>;
  { select(c, recv(v), send(c, 1), t, after(1ms), otherwise()) } -> std::same_as<int>;
  {
    choose(recv(c, [] { return 1; }), otherwise([] { return 2L; }))
  } -> std::same_as<long>;
  { choose(recv(c), otherwise()) } -> std::same_as<void>;
});
static_assert(takes_body<chan<int>, void (*)(std::optional<int>)> && takes_body<chan<int>, void (*)()>);
static_assert(!takes_body<chan<int>, void (*)(std::string)>);
static_assert(std::constructible_from<select_case, receiving>);
static_assert(std::constructible_from<select_case, const chan<int>&>);
static_assert(std::is_nothrow_move_constructible_v<select_case> && std::is_nothrow_move_assignable_v<select_case>);
static_assert(!std::copy_constructible<select_case>);
static_assert(is<decltype(select(std::declval<std::span<select_case>>())), int>);

// Timers, signals.
static_assert(std::derived_from<timer, instants> && std::derived_from<ticker, instants>);
static_assert(std::is_nothrow_move_constructible_v<timer> && !std::copy_constructible<timer>);
static_assert(std::is_nothrow_move_constructible_v<ticker> && !std::copy_constructible<ticker>);
static_assert(std::constructible_from<timer, timespan> && !std::convertible_to<timespan, timer>);
static_assert(std::constructible_from<ticker, timespan> && !std::convertible_to<timespan, ticker>);
static_assert(requires(timer& mine, const timer& t, const ticker& k) {
  { t.stop() } -> std::same_as<bool>;
  { t.reset(1ms) } -> std::same_as<bool>;
  { mine.release() } noexcept -> std::same_as<void>;
  { k.stop() } -> std::same_as<void>;
  { k.reset(1ms) } -> std::same_as<void>;
  {
    after_func(1ms, [] {})
  } -> std::same_as<timer>;
});
static_assert(requires(const chan<int>& c, const context& parent) {
  { signals::notify(c, {SIGINT, SIGTERM}) } -> std::same_as<void>;
  { signals::stop(c) } -> std::same_as<void>;
  { signals::notify_context(parent, {SIGINT}) } -> std::same_as<cancelable>;
});

TEST_CASE("face: errors, channels, select, timers and signals are as programs expect them") {
  const std::unordered_set<chan<int>> channels{chan<int>(), chan<int>(1), nullptr};
  CHECK(channels.size() == 3);
}
