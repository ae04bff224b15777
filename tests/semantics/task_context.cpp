// The context that a task is bound to, which is made when the task asks for it: early, late or never, it is the same.
#include <functional>
#include <optional>
#include <stop_token>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

struct number {
  using type = int;
};

// What a wait without end throws.
struct thrown {
  std::error_code code;
  std::string cause;
};

std::string message_of(const std::exception_ptr& cause) {
  try {
    if (cause != nullptr) std::rethrow_exception(cause);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

thrown wait_in_vain() {
  try {
    chan<int>().recv();
  } catch (const canceled& c) {
    return {c.code(), message_of(c.cause())};
  }
  return {};
}

// Both ways to hear of an end: by what is thrown, and by the context, if it is asked for after that.
struct heard {
  thrown point;
  std::error_code err;
  std::string cause;
  bool done = false;
};

auto hear_of_it(heard& all, bool ask_before) {
  return [&all, ask_before] {
    if (ask_before) static_cast<void>(this_fiber::context());
    all.point = wait_in_vain();
    const context own = this_fiber::context();
    all.err = own.err();
    all.cause = message_of(own.cause());
    all.done = own.done().try_recv().error() == errc::closed;
  };
}

}  // namespace

TEST_CASE("task: what cancels it, its handle or its parent, is what it hears of, however late it asks") {
  in_fiber([](expect& e) {
    for (const bool before : {false, true}) {
      heard by_handle, by_parent, both;
      {
        auto t = spawn(hear_of_it(by_handle, before));
        test::settle();
        t.cancel();
        t.join();
      }
      auto [ctx, cancel] = with_cancel(background());
      auto t = spawn(ctx, hear_of_it(by_parent, before));
      auto early = spawn(ctx, hear_of_it(both, before));
      test::settle();
      early.cancel();
      cancel(std::make_exception_ptr(std::runtime_error("the parent's")));
      t.cancel();  // too late
      t.join();
      early.join();

      const std::string plain = message_of(std::make_exception_ptr(std::system_error(errc::canceled)));
      for (const heard* h : {&by_handle, &by_parent, &both}) {
        const std::string cause = h == &by_parent ? "the parent's" : plain;
        e(h->point.code == errc::canceled);
        e.equal(h->point.cause, cause);
        e(h->err == errc::canceled);
        e.equal(h->cause, cause);
        e(h->done);
      }
    }
  });
}

TEST_CASE("task: its parent's deadline is its own") {
  in_fiber([](expect& e) {
    for (const bool before : {false, true}) {
      heard late;
      auto [ctx, cancel] = with_timeout(background(), 5ms);
      spawn(ctx, hear_of_it(late, before)).join();
      e(late.point.code == errc::deadline_exceeded);
      e(late.err == errc::deadline_exceeded);
      e(late.done);
      spawn(ctx, hear_of_it(late, before)).join();  // born late
      e(late.point.code == errc::deadline_exceeded);
      e(late.err == errc::deadline_exceeded);
    }
  });
}

TEST_CASE("task: its context is one, and neither its parent's nor another task's") {
  in_fiber([](expect& e) {
    auto [ctx, cancel] = with_cancel(background());
    spawn(ctx, [&e, ctx = ctx] {
      const context own = this_fiber::context();
      e(own == this_fiber::context());
      e(own != ctx);
      e(own != spawn(ctx, [] { return this_fiber::context(); }).join());
      e(!own.err());
    }).join();
    auto t = spawn(ctx, [ctx = ctx] {  // under the parent, given: the handle does not end it
      const auto r = chan<int>().recv(ctx);
      return std::pair(r.error(), wait_in_vain().code);
    });
    test::settle();
    t.cancel();
    test::settle();
    e(t.done().try_recv().error() == errc::would_block);
    cancel();
    const auto [given, bound] = t.join();
    e(given == errc::canceled);
    e(bound == errc::canceled);
  });
}

TEST_CASE("task: cancel reaches what it began, and the context to which it comes back") {
  in_fiber([](expect& e) {
    std::atomic<int> begun{0}, ended{0};
    auto parent = spawn([&begun, &ended] {
      const auto child = [&begun, &ended] {
        ++begun;
        if (wait_in_vain().code == errc::canceled) ++ended;
      };
      all(child, child);
    });
    while (begun != 2) this_fiber::yield();  // cancelled before that, it would begin neither
    parent.cancel();
    parent.join();
    e.equal(ended.load(), 2);

    std::atomic<bool> back{false};
    auto scoped = spawn([&e, &back] {
      {
        const auto other = with_cancel(background());
        const bind_scope brief(other.ctx);
        e(this_fiber::context() == other.ctx);
      }
      e(error_of(within(1ms, [] { return chan<int>().recv(), result<void>(); })) == errc::deadline_exceeded);
      back = true;
      return wait_in_vain().code;
    });
    while (!back) this_fiber::yield();
    scoped.cancel();
    e(scoped.join() == errc::canceled);
  });
}

namespace {

class ends_otherwise : public context_base {
 public:
  ends_otherwise(context parent, recv_chan<void> end) : context_base(std::move(parent)), end_(std::move(end)) {}
  const recv_chan<void>& done() const override { return end_; }
  std::error_code err() const noexcept override {
    return error_of(end_.try_recv()) == errc::closed ? make_error_code(std::errc::owner_dead) : std::error_code{};
  }

 private:
  recv_chan<void> end_;
};

}  // namespace

TEST_CASE("task: below a context of the user's it hears the same, early or late") {
  in_fiber([](expect& e) {
    const chan<void> end;
    const context users = make_context<ends_otherwise>(background(), end);
    heard early, late;
    auto one = spawn(users, hear_of_it(early, true));
    auto other = spawn(users, hear_of_it(late, false));
    test::settle();
    end.close();
    one.join();
    other.join();
    e(early.point.code == late.point.code);
    e.equal(early.point.cause, late.point.cause);
    e(early.err == late.err);
    e(late.err == late.point.code);
    e(late.done);
  });
}

TEST_CASE("task: destructors that run after its end find what it was given") {
  in_fiber([](expect& e) {
    struct look {
      int& seen;
      ~look() {
        if (const int* n = this_fiber::context().value<number>()) seen = *n;
      }
    };
    static fiber_local<std::optional<look>> last;
    for (const bool before : {false, true}) {
      int seen = 0;
      wait_group gone;
      gone.add(1);
      struct tell {
        wait_group& gone;
        ~tell() { gone.done(); }
      };
      static fiber_local<std::optional<tell>> first;  // made first, destroyed last
      spawn(with_value<number>(background(), 7), [&] {
        if (before) static_cast<void>(this_fiber::context());
        first->emplace(gone);
        last->emplace(seen);
      }).join();
      gone.wait();
      e.equal(seen, 7);
    }
  });
}

TEST_CASE("task: its handle cancels it alone, not whoever has its block by then") {
  in_fiber({1, 2, 4}, [](expect& e) {
    for (long i = test::scale(2000); i > 0; --i) {
      task<void> ended = spawn([] {});
      ended.done().recv();
      task<bool> next = spawn([] {
        this_fiber::yield();
        return !this_fiber::context().err();
      });
      ended.cancel();
      e(next.join());
    }
  });
}

// Those that begin before main returns, and those that begin when the root is cancelled already.
TEST_CASE("task: hears of the end of the run at once, asked or not, early or late") {
  test::for_processors({1, 4}, [](unsigned processors) {
    std::atomic<int> ended{0};
    runtime_options options = test::on(processors);
    options.drain = 1h;
    run(options, [&] {
      const auto wait = [&ended](bool ask) {
        if (ask) static_cast<void>(this_fiber::context());
        if (wait_in_vain().code != errc::canceled) return;
        if (this_fiber::context().err() == errc::canceled) ++ended;
      };
      for (int i = 0; i < 20; ++i) {
        spawn([=] { wait(i % 2 == 0); }).detach();
        spawn(with_value<number>(background(), 1), [=] { wait(i % 2 == 0); }).detach();
        go([=] {
          background().done().recv();
          spawn([=] { wait(i % 2 == 0); }).detach();
        });
      }
      test::settle();
    });
    CHECK(ended == 60);
  });
}

//     the end of the run                         a task that nobody asked for its context
//     requests a stop; its callback waits for
//     the task's end                             … of which it would hear only after that
TEST_CASE("task: hears of the end of the run before stop callbacks, which may wait for it") {
  std::atomic<bool> ended{false};
  std::optional<std::stop_callback<std::function<void()>>> on_stop;
  runtime_options options = test::on(2);
  options.drain = 1h;
  task<std::error_code> t;
  run(options, [&] {
    t = spawn([] { return wait_in_vain().code; });
    test::settle();
    on_stop.emplace(background().stop_token(), [&] { ended = t.join() == errc::canceled; });
  });
  on_stop.reset();
  CHECK(ended);
}
