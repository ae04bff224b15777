// context: why it ended. The table is that of Go's TestCause, with what C++ adds: a cause is never null after the end.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

// What a context should say of its end.
struct verdict {
  std::error_code err;
  std::exception_ptr cause;  // null: a system_error of err
};

std::error_code code_of(const std::exception_ptr& cause) {
  try {
    if (cause != nullptr) std::rethrow_exception(cause);
  } catch (const std::system_error& error) {
    return error.code();
  } catch (...) {
  }
  return {};
}

void check(expect& e, const context& ctx, const verdict& wanted,
           std::source_location at = std::source_location::current()) {
  e(ctx.err() == wanted.err, at);
  if (!wanted.err)
    e(ctx.cause() == nullptr, at);
  else if (wanted.cause != nullptr)
    e(ctx.cause() == wanted.cause, at);
  else
    e(code_of(ctx.cause()) == wanted.err, at);
}

const std::exception_ptr k_parents = std::make_exception_ptr(std::runtime_error("parent's"));
const std::exception_ptr k_childs = std::make_exception_ptr(std::runtime_error("child's"));
const std::exception_ptr k_too_slow = std::make_exception_ptr(std::runtime_error("too slow"));
const std::exception_ptr k_none;
const std::error_code k_alive;

struct key {
  using type = int;
};

// Returns once the deadline has passed and the context with it.
void await_end(const context& ctx) { static_cast<void>(ctx.done().recv(without_cancel(background()))); }

}  // namespace

TEST_CASE("cause: none while alive, for every kind of context") {
  in_fiber([](expect& e) {
    for (const context& ctx : {background(), todo(), with_value<key>(background(), 1), without_cancel(background())})
      check(e, ctx, {k_alive, k_none});
    auto a = with_cancel(background());
    auto b = with_cancel_cause(a);
    auto c = with_timeout_cause(b, 1h, k_too_slow);
    auto d = with_deadline_cause(c, clock::now() + 2h, k_too_slow);
    for (const context& ctx : {a.ctx, b.ctx, c.ctx, d.ctx}) check(e, ctx, {k_alive, k_none});
  });
}

TEST_CASE("cause: the one given, else the error itself, which equals canceled") {
  in_fiber([](expect& e) {
    auto plain = with_cancel(background());
    plain.cancel();
    check(e, plain, {errc::canceled, k_none});
    e(code_of(plain.ctx.cause()) == errc::canceled);
    e(code_of(plain.ctx.cause()) == std::errc::operation_canceled);
    e(code_of(plain.ctx.cause()) != errc::deadline_exceeded);
    auto given = with_cancel_cause(background());
    given.cancel(k_parents);
    check(e, given, {errc::canceled, k_parents});
    auto none = with_cancel_cause(background());
    none.cancel(k_none);  // as Go's cancel(nil)
    check(e, none, {errc::canceled, k_none});
    auto no_code = with_cancel_cause(background());
    no_code.cancel(std::error_code());
    check(e, no_code, {errc::canceled, k_none});
    auto late = with_timeout(background(), 0ms);
    check(e, late, {errc::deadline_exceeded, k_none});
    e(code_of(late.ctx.cause()) == std::errc::timed_out);
  });
}

TEST_CASE("cause: the parent's is the children's, through every kind of context") {
  in_fiber([](expect& e) {
    auto parent = with_cancel_cause(background());
    auto child = with_cancel(parent);
    auto timed = with_timeout_cause(with_value<key>(child, 1), 1h, k_too_slow);
    const context leaf = with_value<key>(timed, 2);
    parent.cancel(k_parents);
    for (const context& ctx : {parent.ctx, child.ctx, timed.ctx, leaf}) check(e, ctx, {errc::canceled, k_parents});
    auto born_late = with_cancel_cause(leaf);
    born_late.cancel(k_childs);
    check(e, born_late, {errc::canceled, k_parents});
  });
}

TEST_CASE("cause: whoever is cancelled first, parent or child, each keeps its own") {
  in_fiber([](expect& e) {
    auto parent = with_cancel_cause(background());
    auto child = with_cancel_cause(parent);
    child.cancel(k_childs);
    check(e, child, {errc::canceled, k_childs});
    check(e, parent, {k_alive, k_none});
    parent.cancel(k_parents);
    check(e, parent, {errc::canceled, k_parents});
    check(e, child, {errc::canceled, k_childs});

    auto other = with_cancel_cause(background());
    auto below = with_cancel_cause(other);
    other.cancel(k_parents);
    below.cancel(k_childs);
    check(e, below, {errc::canceled, k_parents});
  });
}

TEST_CASE("cause: a plain cancel hides nothing that was given above or below it") {
  in_fiber([](expect& e) {
    auto top = with_cancel_cause(background());
    auto middle = with_cancel(top);
    auto bottom = with_cancel_cause(middle);
    middle.cancel();
    check(e, top, {k_alive, k_none});
    check(e, middle, {errc::canceled, k_none});
    check(e, bottom, {errc::canceled, k_none});
    top.cancel(k_parents);
    check(e, middle, {errc::canceled, k_none});
    check(e, top, {errc::canceled, k_parents});
  });
}

TEST_CASE("cause: of a deadline: its own, the parent's where that came first, none of an earlier cancel") {
  in_fiber([](expect& e) {
    auto timed = with_timeout_cause(background(), 1ms, k_too_slow);
    await_end(timed);
    check(e, timed, {errc::deadline_exceeded, k_too_slow});

    auto cancelled = with_timeout_cause(background(), 1h, k_too_slow);
    cancelled.cancel();
    check(e, cancelled, {errc::canceled, k_none});
    auto with_reason = with_timeout_cause(background(), 1h, k_too_slow);
    with_reason.cancel(k_childs);
    check(e, with_reason, {errc::canceled, k_childs});

    // The parent's deadline comes first, so what was given for the later one is never used.
    auto parent = with_timeout_cause(background(), 1ms, k_parents);
    auto child = with_timeout_cause(parent, 1h, k_too_slow);
    await_end(child);
    check(e, child, {errc::deadline_exceeded, k_parents});

    auto over = with_cancel_cause(background());
    over.cancel(k_parents);
    check(e, with_deadline_cause(over, clock::now() - 1h, k_too_slow).ctx, {errc::canceled, k_parents});
    check(e, with_deadline_cause(background(), clock::now() - 1h, k_too_slow).ctx,
          {errc::deadline_exceeded, k_too_slow});
  });
}

TEST_CASE("cause: without_cancel has none of what is above, and those below have their own") {
  in_fiber([](expect& e) {
    auto parent = with_cancel_cause(background());
    const context apart = without_cancel(parent);
    auto below = with_cancel_cause(apart);
    parent.cancel(k_parents);
    check(e, apart, {k_alive, k_none});
    check(e, below, {k_alive, k_none});
    check(e, without_cancel(parent), {k_alive, k_none});
    below.cancel(k_childs);
    check(e, below, {errc::canceled, k_childs});
    check(e, apart, {k_alive, k_none});
  });
}

TEST_CASE("cause: who hears of the end through done sees the error and the cause") {
  in_fiber({1, 2, 4}, [](expect& e) {
    for (int i = 0; i < 200; ++i) {
      auto parent = with_cancel_cause(background());
      auto child = with_timeout(parent, 1h);
      std::vector<task<void>> all;
      for (const context& ctx : {parent.ctx, child.ctx})
        all.push_back(spawn([&e, ctx] {
          ctx.done().recv();
          check(e, ctx, {errc::canceled, k_parents});
        }));
      parent.cancel(k_parents);
      for (auto& t : all) t.join();
    }
  });
}

TEST_CASE("cause: the errors' texts are Go's") {
  CHECK(make_error_code(errc::canceled).message() == "context canceled");
  CHECK(make_error_code(errc::deadline_exceeded).message() == "context deadline exceeded");
}
