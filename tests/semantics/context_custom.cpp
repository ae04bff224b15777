// Contexts of one's own: derived from context_base, made by make_context.
#include <algorithm>

#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

struct name {
  using type = std::string;
};
struct depth {
  using type = int;
};

// Asks its parent for all.
class plain : public context_base {
 public:
  using context_base::context_base;
};

// Ends when its own channel closes, whatever the parent does.
class own_end : public context_base {
 public:
  own_end(context parent, recv_chan<void> end, errc why = errc::canceled)
      : context_base(std::move(parent)), end_(std::move(end)), why_(why) {}
  const recv_chan<void>& done() const override { return end_; }
  std::error_code err() const noexcept override {
    return error_of(end_.try_recv()) == errc::closed ? make_error_code(why_) : std::error_code{};
  }

 private:
  recv_chan<void> end_;
  errc why_;
};

class own_cause : public own_end {
 public:
  own_cause(context parent, recv_chan<void> end, std::exception_ptr cause)
      : own_end(std::move(parent), std::move(end)), cause_(std::move(cause)) {}
  std::exception_ptr cause() const override { return err() ? cause_ : nullptr; }

 private:
  std::exception_ptr cause_;
};

class own_deadline : public context_base {
 public:
  own_deadline(context parent, clock::time_point when) : context_base(std::move(parent)), when_(when) {}
  std::optional<clock::time_point> deadline() const override { return when_; }

 private:
  clock::time_point when_;
};

class named : public context_base {
 public:
  named(context parent, std::string mine) : context_base(std::move(parent)), name_(std::move(mine)) {}
  const void* value(const void* key) const noexcept override {
    return key == context_key<name> ? &name_ : context_base::value(key);
  }

 private:
  std::string name_;
};

std::error_code code_in(const std::exception_ptr& cause) {
  try {
    if (cause != nullptr) std::rethrow_exception(cause);
  } catch (const std::system_error& error) {
    return error.code();
  }
  return {};
}

long count_followers() {
  const auto all = debug::fibers();
  return std::ranges::count(all, "weft:follow context", &debug::fiber_info::name);
}

}  // namespace

TEST_CASE("own context: one that overrides nothing is its parent in all but identity") {
  in_fiber([](expect& e) {
    auto parent = with_timeout(with_value<name>(background(), "above"), 1h);
    const context own = make_context<plain>(parent);
    e(own != parent.ctx);
    e(own.done() == parent.ctx.done());
    e(own.deadline() == parent.ctx.deadline());
    e.equal(*own.value<name>(), std::string("above"));
    auto child = with_cancel(own);
    e(!own.err());
    e(own.cause() == nullptr);
    const auto why = std::make_exception_ptr(std::runtime_error("why"));
    parent.cancel(why);
    e(own.err() == errc::canceled);
    e(own.cause() == why);
    e(child.ctx.err() == errc::canceled);
    e(child.ctx.cause() == why);
  });
}

TEST_CASE("own context: its end reaches children, values, deadlines and bound fibers below it, not what is above") {
  in_fiber([](expect& e) {
    const chan<void> end;
    auto parent = with_cancel(background());
    const context own = make_context<own_end>(parent, end);
    auto child = with_cancel(own);
    auto timed = with_timeout(with_value<depth>(own, 1), 1h);
    auto bound = spawn(own, [] { this_fiber::sleep_for(1h); });
    const chan<void> ran;
    auto handle = after_func(own, [ran] { ran.send(); });
    test::settle();
    e(!child.ctx.err());
    end.close();
    for (const context& ctx : {own, child.ctx, timed.ctx}) {
      e(!ctx.done().recv());
      e(ctx.err() == errc::canceled);
    }
    e.throws<canceled>([&] { bound.join(); });
    e(ran.recv());
    e(!parent.ctx.err());
  });
}

TEST_CASE("own context: its parent's end is not its own when it overrides done") {
  in_fiber([](expect& e) {
    const chan<void> end;
    auto parent = with_cancel(background());
    const context own = make_context<own_end>(parent, end);
    auto child = with_cancel(own);
    parent.cancel();
    test::settle();
    e(!own.err());
    e(!child.ctx.err());
    end.close();
    e(!child.ctx.done().recv());
  });
}

TEST_CASE("own context: how it ended is how its children ended") {
  in_fiber([](expect& e) {
    const chan<void> end;
    const context own = make_context<own_end>(background(), end, errc::deadline_exceeded);
    auto child = with_cancel(own);
    end.close();
    e(!child.ctx.done().recv());
    e(child.ctx.err() == errc::deadline_exceeded);
    e(code_in(child.ctx.cause()) == errc::deadline_exceeded);
    auto late = with_cancel(own);
    e(late.ctx.err() == errc::deadline_exceeded || !late.ctx.done().recv());
  });
}

TEST_CASE("own context: the cause is never null after the end, also when it is not overridden") {
  in_fiber([](expect& e) {
    const chan<void> end;
    const context own = make_context<own_end>(background(), end);
    const context below = with_value<depth>(own, 1);
    auto child = with_cancel(own);
    e(own.cause() == nullptr);
    end.close();
    e(!child.ctx.done().recv());
    for (const context& ctx : {own, below, child.ctx}) e(code_in(ctx.cause()) == errc::canceled);
    const context born_over = make_context<own_end>(background(), end);
    e(code_in(born_over.cause()) == errc::canceled);
    e(code_in(with_cancel(born_over).ctx.cause()) == errc::canceled);
  });
}

TEST_CASE("own context: its cause is its children's") {
  in_fiber([](expect& e) {
    const auto why = std::make_exception_ptr(std::runtime_error("why"));
    const chan<void> end;
    const context own = make_context<own_cause>(background(), end, why);
    auto child = with_cancel(own);
    auto grandchild = with_timeout(child, 1h);
    end.close();
    e(!grandchild.ctx.done().recv());
    for (const context& ctx : {own, child.ctx, grandchild.ctx}) e(ctx.cause() == why);
  });
}

TEST_CASE("own context: a deadline of its own bounds those below") {
  in_fiber([](expect& e) {
    const auto now = clock::now();
    const context own = make_context<own_deadline>(background(), now + 1h);
    e(own.deadline() == now + 1h);
    e(with_value<depth>(own, 1).deadline() == now + 1h);
    e(with_cancel(own).ctx.deadline() == now + 1h);
    e(with_deadline(own, now + 2h).ctx.deadline() == now + 1h);
    e(with_deadline(own, now + 30min).ctx.deadline() == now + 30min);
    e(!without_cancel(own).deadline());
  });
}

TEST_CASE("own context: its values come before those above, and after those below") {
  in_fiber([](expect& e) {
    const context above = with_value<depth>(with_value<name>(background(), "above"), 7);
    const context own = make_context<named>(above, "mine");
    e.equal(*own.value<name>(), std::string("mine"));
    e.equal(*own.value<depth>(), 7);
    auto child = with_cancel(own);
    e.equal(*child.ctx.value<name>(), std::string("mine"));
    e.equal(*with_value<name>(child, "below").value<name>(), std::string("below"));
    e.equal(*without_cancel(child).value<name>(), std::string("mine"));
  });
}

TEST_CASE("own context: only one that overrides done costs a fiber, which goes with it") {
  in_fiber([](expect& e) {
    const long before = count_followers();
    const chan<void> end;
    {
      const context wraps = make_context<plain>(background());
      auto child = with_cancel(wraps);
      e.equal(count_followers(), before);
      const context follows = make_context<own_end>(background(), end);
      auto one = with_cancel(follows);
      auto two = with_timeout(follows, 1h);
      e.equal(count_followers(), before + 1);
    }
    while (count_followers() != before) this_fiber::yield();
    e(!end.try_send());  // nobody waits there any more
  });
}
