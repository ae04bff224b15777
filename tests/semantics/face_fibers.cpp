// The public face, contexts, fibers, tasks, synchronization: every declaration in the form that programs are written
// against. For the compiler: names, overloads, what is noexcept, explicit, deduced or refused. What they mean is tested
// elsewhere.
#include <functional>
#include <memory>
#include <mutex>
#include <ranges>
#include <shared_mutex>
#include <string>

#include "face.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using face::is;
using face::owner;

namespace {

struct text_key {
  using type = std::string;
};
struct int_key {
  using type = int;
};

struct own_context : context_base {
  explicit own_context(context parent, int n = 0) : context_base(std::move(parent)), number(n) {}
  std::optional<clock::time_point> deadline() const override { return context_base::deadline(); }
  const recv_chan<void>& done() const override { return context_base::done(); }
  std::error_code err() const noexcept override { return context_base::err(); }
  std::exception_ptr cause() const override { return context_base::cause(); }
  const void* value(const void* k) const noexcept override {
    return k == context_key<int_key> ? &number : context_base::value(k);
  }
  int number;
};

template <class R>
concept task_of = face::nothrow_handle<task<R>> && requires(task<R>& t, const task<R>& constant, const context& c) {
  { t.join() } -> std::same_as<R>;
  { constant.done() } -> std::same_as<const recv_chan<void>&>;
  { constant.cancel() } noexcept -> std::same_as<void>;
  { t.detach() } noexcept -> std::same_as<void>;
  t.join(c);
};

}  // namespace

// Contexts.
static_assert(sizeof(context) == 8);
static_assert(std::is_nothrow_default_constructible_v<context> && std::regular<context>);
static_assert(requires(const context& c) {
  { c.deadline() } -> std::same_as<std::optional<clock::time_point>>;
  { c.done() } -> std::same_as<const recv_chan<void>&>;
  { c.stop_token() } -> std::same_as<std::stop_token>;
  { c.err() } noexcept -> std::same_as<std::error_code>;
  { c.cause() } -> std::same_as<std::exception_ptr>;
  { c.value<text_key>() } noexcept -> std::same_as<const std::string*>;
  { background() } noexcept -> std::same_as<context>;
  { todo() } noexcept -> std::same_as<context>;
  { without_cancel(c) } -> std::same_as<context>;
  { with_stop_token(c, std::stop_token()) } -> std::same_as<context>;
  { with_value<text_key>(c, "text") } -> std::same_as<context>;
});
static_assert(is<cancel_cause, std::variant<std::exception_ptr, std::error_code>>);
static_assert(face::nothrow_handle<cancel_func>);
static_assert(requires(const cancel_func& f, cancel_func& mine, std::error_code code, std::exception_ptr e) {
  { f() } noexcept -> std::same_as<void>;
  f(code);
  f(e);
  { f(cancel_cause(code)) } noexcept -> std::same_as<void>;
  { mine.release() } noexcept -> std::same_as<void>;
});
static_assert(std::is_aggregate_v<cancelable> && std::move_constructible<cancelable>);
static_assert(!std::copy_constructible<cancelable>);
static_assert(std::convertible_to<const cancelable&, const context&> && std::convertible_to<cancelable&, context>);
static_assert(!std::convertible_to<cancelable, const context&>);  // it would be cancelled at the semicolon
static_assert(requires(const context& c, const cancelable& whole, clock::time_point t, std::error_code why) {
  { with_cancel(c) } -> std::same_as<cancelable>;
  { with_cancel(whole) } -> std::same_as<cancelable>;
  { with_cancel_cause(c) } -> std::same_as<cancelable>;
  { with_deadline(c, t) } -> std::same_as<cancelable>;
  { with_deadline_cause(c, t, why) } -> std::same_as<cancelable>;
  { with_timeout(c, 1ms) } -> std::same_as<cancelable>;
  { with_timeout_cause(c, 1ms, std::exception_ptr()) } -> std::same_as<cancelable>;
  {
    after_func(c, [] {})
  } -> std::same_as<stop_func>;
});
static_assert(std::is_nothrow_move_constructible_v<stop_func> && !std::copy_constructible<stop_func>);
static_assert(requires(stop_func& f) {
  { f() } -> std::same_as<bool>;
  f.release();
});
static_assert(std::has_virtual_destructor_v<context_base> && !std::convertible_to<context, context_base>);
static_assert(requires(const context_base& b) {
  { b.parent() } noexcept -> std::same_as<const context&>;
});
static_assert(is<decltype(make_context<own_context>(background(), 3)), context>);
static_assert(context_key<text_key> == &context_tag<text_key>);

// Runs and fibers.
static_assert(std::is_aggregate_v<runtime_options> && runtime_options{}.processors == 0);
static_assert(runtime_options{}.stack_size == 64 << 10 && runtime_options{}.slice == 10ms);
static_assert(runtime_options{}.max_threads == 10'000 && runtime_options{}.preemption);
static_assert(runtime_options{}.drain == 1s);
static_assert(requires(int& (&reference)(), owner (&moved)()) {
  {
    run([] { return 1; })
  } -> std::same_as<int>;
  {
    run(runtime_options{.processors = 2}, [] {})
  } -> std::same_as<void>;
  { run(reference) } -> std::same_as<int&>;
  { run(moved) } -> std::same_as<owner>;
});
static_assert(std::is_aggregate_v<spawn_options>);
static_assert(requires(const context& c, std::move_only_function<void()>&& once_only) {
  {
    go([] {})
  } -> std::same_as<void>;
  go(std::move(once_only));
  {
    go(c, [] { return 1; })
  } -> std::same_as<void>;
  go(spawn_options{.name = "n", .stack_size = 1, .bound = c, .migratable = true}, [] {});
});
static_assert(std::is_enum_v<fiber_id> && is<std::underlying_type_t<fiber_id>, std::uint64_t>);
static_assert(requires(clock::time_point t, const context& c) {
  { this_fiber::yield() } -> std::same_as<void>;
  { this_fiber::poll() } -> std::same_as<void>;
  { this_fiber::sleep_for(1ms) } -> std::same_as<void>;
  { this_fiber::sleep_until(t) } -> std::same_as<void>;
  { this_fiber::context() } -> std::same_as<context>;
  { this_fiber::id() } -> std::same_as<fiber_id>;
  { this_fiber::set_name("n") } -> std::same_as<void>;
  { sleep_for(c, 1ms) } -> std::same_as<result<void>>;
  { sleep_until(c, t) } -> std::same_as<result<void>>;
});
static_assert(requires(int& (&reference)(), owner (&moved)()) {
  {
    blocking([] { return 1; })
  } -> std::same_as<int>;
  { blocking(reference) } -> std::same_as<int&>;
  { shield(moved) } -> std::same_as<owner>;
  {
    interruptible([] { return 1.5; })
  } -> std::same_as<result<double>>;
  {
    interruptible([] {})
  } -> std::same_as<result<void>>;
});
static_assert(face::scope<shield_scope> && std::is_nothrow_default_constructible_v<shield_scope>);
static_assert(face::scope<no_preempt> && std::is_nothrow_default_constructible_v<no_preempt>);
static_assert(face::scope<bind_scope> && !std::convertible_to<context, bind_scope>);
static_assert(std::constructible_from<bind_scope, context> && std::constructible_from<bind_scope, cancelable>);
static_assert(face::scope<defer<void (*)()>> && is<decltype(defer(+[] {})), defer<void (*)()>>);

// Tasks.
static_assert(task_of<int> && task_of<void> && task_of<owner> && task_of<result<int>>);
static_assert(requires(const context& c, task<int>& number, task<void>& none, task<result<int>>& fallible) {
  {
    spawn([] { return 1; })
  } -> std::same_as<task<int>>;
  {
    spawn(c, [] {})
  } -> std::same_as<task<void>>;
  { number.join(c) } -> std::same_as<result<int>>;
  { none.join(c) } -> std::same_as<result<void>>;
  { fallible.join(c) } -> std::same_as<result<int>>;
  {
    all([] { return 1; }, [] {})
  } -> std::same_as<std::tuple<int, std::monostate>>;
  {
    race([] { return 1; }, [] { return 2L; })
  } -> std::same_as<long>;
  {
    within(1ms, [] { return 1; })
  } -> std::same_as<result<int>>;
  {
    within(1ms, [] { return result<int>(); })
  } -> std::same_as<result<int>>;
  {
    within(1ms, [] {})
  } -> std::same_as<result<void>>;
});
static_assert(requires(std::vector<int>& numbers, const chan<owner>& owners) {
  {
    each(numbers, 2, [](int&) {})
  } -> std::same_as<void>;
  each(owners, -1, [](owner) {});
  each(std::views::iota(0, 9), 1, [](int) { return std::error_code(); });
});

// Own primitives.
static_assert(face::lockable<spin_lock> && requires(spin_lock& l) {
  { l.lock() } noexcept;
  { l.try_lock() } noexcept;
  { l.unlock() } noexcept;
});
static_assert(face::scope<waiter> && std::is_nothrow_default_constructible_v<waiter>);
static_assert(requires(waiter& w, std::unique_lock<spin_lock>& s, std::unique_lock<mutex>& m, const context& c) {
  { w.wait(s) } -> std::same_as<void>;
  { w.wait(c, m) } -> std::same_as<result<void>>;
  { w.wake() } noexcept -> std::same_as<bool>;
});

// Synchronization.
static_assert(face::lockable<mutex> && face::lockable<shared_mutex>);
static_assert(requires(mutex& m, shared_mutex& s, const context& c) {
  { m.lock(c) } -> std::same_as<result<void>>;
  { s.lock(c) } -> std::same_as<result<void>>;
  { s.lock_shared() } -> std::same_as<void>;
  { s.lock_shared(c) } -> std::same_as<result<void>>;
  { s.try_lock_shared() } -> std::same_as<bool>;
  { s.unlock_shared() } -> std::same_as<void>;
  std::shared_lock(s);
});
static_assert(requires(condition_variable& v, std::unique_lock<mutex>& l, mutex& bare, const context& c) {
  { v.notify_one() } noexcept -> std::same_as<void>;
  { v.notify_all() } noexcept -> std::same_as<void>;
  { v.wait(l) } -> std::same_as<void>;
  {
    v.wait(bare, [] { return true; })
  } -> std::same_as<void>;
  { v.wait(c, bare) } -> std::same_as<result<void>>;
  {
    v.wait(c, l, [] { return true; })
  } -> std::same_as<result<void>>;
});
static_assert(requires(once& o, once_value<int (*)()>& v, wait_group& g, const context& c) {
  {
    o.call([] {})
  } -> std::same_as<void>;
  { v() } -> std::same_as<const int&>;
  { g.add(1) } -> std::same_as<void>;
  { g.done() } -> std::same_as<void>;
  { g.wait() } -> std::same_as<void>;
  { g.wait(c) } -> std::same_as<result<void>>;
  {
    g.go([] {})
  } -> std::same_as<void>;
  {
    g.go(c, [] {})
  } -> std::same_as<void>;
});
static_assert(std::constructible_from<semaphore, std::int64_t> && !std::convertible_to<std::int64_t, semaphore>);
static_assert(requires(semaphore& s, const context& c) {
  { s.acquire() } -> std::same_as<void>;
  { s.acquire(2) } -> std::same_as<void>;
  { s.acquire(c) } -> std::same_as<result<void>>;
  { s.acquire(c, 2) } -> std::same_as<result<void>>;
  { s.try_acquire() } -> std::same_as<bool>;
  { s.try_acquire(2) } -> std::same_as<bool>;
  { s.release() } -> std::same_as<void>;
  { s.release(2) } -> std::same_as<void>;
});
static_assert(std::default_initializable<group> && std::constructible_from<group, context>);
static_assert(!std::convertible_to<context, group>);
static_assert(requires(group& g, const group& constant) {
  { constant.context() } noexcept -> std::same_as<const context&>;
  { g.set_limit(1) } -> std::same_as<void>;
  { g.cancel() } noexcept -> std::same_as<void>;
  {
    g.go([] {})
  } -> std::same_as<void>;
  g.go([](const context&) { return std::error_code(); });
  {
    g.try_go([]() -> result<void> { return {}; })
  } -> std::same_as<bool>;
  { g.wait() } -> std::same_as<result<void>>;
});
using flights = singleflight<std::string, int>;
static_assert(requires(flights& s, const std::string& k, const context& c, flights::outcome& o) {
  {
    s.call(k, [] { return 1; })
  } -> std::same_as<flights::outcome>;
  {
    s.call(c, k, [] { return result<int>(1); })
  } -> std::same_as<result<flights::outcome>>;
  { s.forget(k) } -> std::same_as<void>;
  { (o.value) } -> std::same_as<int&>;
  { (o.shared) } -> std::same_as<bool&>;
});
static_assert(requires(const fiber_local<std::string>& l) {
  { *l } -> std::same_as<std::string&>;
  { l->size() } -> std::same_as<std::size_t>;
});

TEST_CASE("face: contexts, fibers, tasks and synchronization are as programs expect them") {
  const context c = make_context<own_context>(background(), 3);
  CHECK(*c.value<int_key>() == 3);
  CHECK(context_key<text_key> != context_key<int_key>);  // not constant to gcc's UndefinedBehaviorSanitizer
}
