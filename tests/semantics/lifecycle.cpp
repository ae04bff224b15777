// lifecycle: ready, draining, compensating, terminated. What overruns does so by waiting for the end of its context, so
// nothing here depends on how fast the machine is.
#include "tests/support/lifecycle.hpp"

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::hooks_of;
using test::in_fiber;
using test::patient;
using test::record;
using test::wait_for_end;
using test::what;
using phase = lifecycle_phase;

TEST_CASE("lifecycle: phases, contexts and hooks in their order") {
  in_fiber([](expect& e) {
    record seen;
    lifecycle service(patient());
    const auto note = [&](std::string name) {
      seen(name + '@' + std::string(name_of(service.phase())) + (service.accepting().err() ? "" : "+accepting") +
           (service.working().err() ? "" : "+working"));
    };
    service.on_drain("drain", [&] { note("drain"); });
    service.on_compensate("first", [&] { note("first"); });
    service.on_compensate("second", [&] { note("second"); });
    note("main");
    e(!service.is_ready());
    service.go(service.accepting(), "main work", [&] {
      while (!service.is_ready()) this_fiber::yield();
      note("main");
      service.shutdown();
      e(!service.is_ready());
      e(service.phase() == phase::draining);
    });
    const lifecycle_report r = service.serve();
    note("main");
    e.equal(seen.all(), std::string("main@starting+accepting+working main@ready+accepting+working "
                                    "drain@draining+working second@compensating first@compensating main@terminated "));
    e.equal(hooks_of(r), std::string("drain:completed second:completed first:completed "));
    e(r.clean());
    e(!service.is_ready());
  });
}

TEST_CASE("lifecycle: what was taken on is finished; what takes on is cancelled") {
  in_fiber([](expect& e) {
    lifecycle service(patient());
    const chan<void> finish;
    std::atomic<int> finished{0}, refused{0};
    service.go(service.accepting(), "listener", [&] {
      for (int i = 0; i < 10; ++i)
        service.go("request", [&, i](const context& ctx) {
          if (i == 0) service.shutdown();
          finish.recv();
          e(!ctx.err());
          ++finished;
        });
      defer gone([&] { ++refused; });
      chan<int>().recv();
    });
    service.on_drain("let them finish", [&] {
      e(service.accepting().err() == errc::canceled);
      for (int i = 0; i < 10; ++i) finish.send();
    });
    const lifecycle_report r = service.serve();
    e.equal(finished.load(), 10);
    e.equal(refused.load(), 1);
    e(r.clean());
  });
}

TEST_CASE("lifecycle: drain hooks run beside one another") {
  in_fiber([](expect& e) {
    lifecycle service(patient());
    const chan<int> between;
    service.on_drain("gives", [&] { between.send(7); });
    service.on_drain("takes", [&] { e(between.recv() == 7); });
    service.shutdown();
    e(service.serve().clean());
  });
}

TEST_CASE("lifecycle: each phase has a context of its own, with its own time, the parent's values and no other end") {
  struct key {
    using type = int;
  };
  in_fiber([](expect& e) {
    auto [parent, cancel] = with_cancel(with_value<key>(background(), 7));
    lifecycle_options o = patient();
    o.drain = 2h;
    lifecycle service(o, parent);
    std::optional<clock::time_point> drain_ends, compensate_ends;
    const auto before = clock::now();
    const auto look = [&](const context& ctx) {
      e(!ctx.err());
      e(ctx == this_fiber::context());
      const int* value = ctx.value<key>();
      e(value != nullptr && *value == 7);
      return ctx.deadline();
    };
    service.on_drain("drain", [&](const context& ctx) { drain_ends = look(ctx); });
    service.on_compensate("compensate", [&](const context& ctx) { compensate_ends = look(ctx); });
    cancel(std::make_error_code(std::errc::io_error));
    const lifecycle_report r = service.serve();
    e(r.clean());
    e.equal(what(r.cause), std::system_error(std::make_error_code(std::errc::io_error)).what());
    e(drain_ends && *drain_ends >= before + 2h);
    e(compensate_ends && *compensate_ends >= before + 1h && *compensate_ends <= clock::now() + 1h);
  });
}

TEST_CASE("lifecycle: a draining that overruns cancels what is left of it, and the compensating has all its time") {
  in_fiber([](expect& e) {
    lifecycle_options o = patient();
    o.drain = 1ms;
    lifecycle service(o);
    bool unwound = false;
    service.go("stuck", [&] {
      defer gone([&] { unwound = true; });
      chan<int>().recv();
    });
    service.on_drain("thrown at", [](const context&) { chan<int>().recv(); });
    service.on_drain("tells", [](const context& ctx) -> std::error_code { return error_of(sleep_for(ctx, 1h)); });
    service.on_drain("quick", [] {});
    service.on_compensate("after", [&](const context& ctx) {
      e(unwound);
      e(!ctx.err());
      e(ctx.deadline() > clock::now() + 30min);
    });
    service.shutdown();
    const lifecycle_report r = service.serve();
    e.equal(hooks_of(r), std::string("thrown at:timed out tells:timed out quick:completed after:completed "));
    e(r.unfinished.size() == 1 && r.unfinished[0].name == "stuck");
    e(r.left.empty());
    e(!r.clean());
    e(service.working().err() == errc::canceled);
  });
}

TEST_CASE("lifecycle: a hook that fails is named, and the others run") {
  in_fiber([](expect& e) {
    lifecycle service(patient());
    std::atomic<int> ran{0};
    for (const bool draining : {true, false}) {
      const auto add = [&](const char* name, auto f) {
        auto counted = [&, f] {
          ++ran;
          return f();
        };
        if (draining)
          service.on_drain(name, counted);
        else
          service.on_compensate(name, counted);
      };
      add("throws", [] { throw std::runtime_error("oh"); });
      add("code", [] { return std::make_error_code(std::errc::broken_pipe); });
      add("result", []() -> result<void> { return std::unexpected(make_error_code(errc::closed)); });
      add("cancels itself", []() -> result<void> { return std::unexpected(make_error_code(errc::canceled)); });
      add("well", [] {});
    }
    service.shutdown();
    const lifecycle_report r = service.serve();
    e.equal(ran.load(), 10);
    e.equal(hooks_of(r), std::string("throws:failed code:failed result:failed cancels itself:failed well:completed "
                                     "well:completed cancels itself:failed result:failed code:failed throws:failed "));
    e(!r.clean());
    e.equal(what(r.hooks.front().error), std::string("oh"));
    e(r.hooks[4].error == nullptr);
  });
}

TEST_CASE("lifecycle: a compensating hook that overruns leaves the next ones their part of the time") {
  in_fiber([](expect& e) {
    lifecycle_options o = patient();
    o.compensate = 3ms;
    lifecycle service(o);
    std::vector<clock::time_point> ends;
    for (const char* name : {"c", "b", "a"})
      service.on_compensate(name, [&](const context& ctx) {
        ends.push_back(ctx.deadline().value());
        wait_for_end(ctx);
      });
    service.shutdown();
    const lifecycle_report r = service.serve();
    e.equal(hooks_of(r), std::string("a:timed out b:timed out c:timed out "));
    e.equal(ends.size(), 3u);
    e(std::ranges::is_sorted(ends, std::less_equal{}));  // each began when the one before was over
    e(r.left.empty());
  });
}

TEST_CASE("lifecycle: compensating hooks share the time, and what one does not use goes to the next") {
  in_fiber([](expect& e) {
    lifecycle_options o = patient();
    o.compensate = 3h;
    o.unwind = 0s;
    lifecycle service(o);
    std::vector<clock::duration> times;
    for (const char* name : {"c", "b", "a"})
      service.on_compensate(name, [&](const context& ctx) { times.push_back(*ctx.deadline() - clock::now()); });
    service.shutdown();
    e(service.serve().clean());
    e.equal(times.size(), 3u);
    e(times[0] > 50min && times[0] <= 1h);
    e(times[1] > 1h && times[1] <= 90min);
    e(times[2] > 2h && times[2] <= 3h);
  });
}

TEST_CASE("lifecycle: a fiber that fails asks for the shutdown and is the cause; the failures of others are kept") {
  in_fiber([](expect& e) {
    for (const bool by_exception : {true, false}) {
      lifecycle service(patient());
      service.go("bad", [&]() -> std::error_code {
        if (by_exception) throw std::runtime_error("bad luck");
        return std::make_error_code(std::errc::address_in_use);
      });
      service.go(service.accepting(), "later", [&] {
        try {
          chan<int>().recv();
        } catch (const canceled&) {
          throw std::logic_error("worse");
        }
      });
      service.go(service.accepting(), "ordinary",
                 [](const context& ctx) -> std::error_code { return error_of(sleep_for(ctx, 1h)); });
      const lifecycle_report r = service.serve();
      const std::string cause = what(r.cause);
      e.equal(cause, by_exception
                         ? "bad luck"
                         : std::string(std::system_error(std::make_error_code(std::errc::address_in_use)).what()));
      e.equal(r.failures.size(), 2u);
      e(r.failures.size() == 2 && r.failures[0].name == "bad" && r.failures[1].name == "later");
      e.equal(what(r.failures.back().error), std::string("worse"));
      e(!r.clean());
    }
  });
}

TEST_CASE("lifecycle: shut down before serve: never ready, and all the rest happens") {
  in_fiber([](expect& e) {
    lifecycle_options o = patient();
    o.lame_duck = 1h;  // nobody has heard of it
    lifecycle service(o);
    service.shutdown(std::make_error_code(std::errc::io_error));
    service.shutdown();  // the first cause is kept
    e(service.phase() == phase::starting);
    service.accepting().done().recv();
    e(!service.working().err());
    service.on_drain("drain", [&] { e(!service.is_ready()); });
    service.on_compensate("compensate", [] {});
    const lifecycle_report r = service.serve();
    e.equal(r.hooks.size(), 2u);
    e(r.clean());
    e.equal(what(r.cause), std::system_error(std::make_error_code(std::errc::io_error)).what());
  });
}

TEST_CASE("lifecycle: without serve the destructor ends the fibers and no hook runs") {
  in_fiber([](expect& e) {
    std::atomic<int> ended{0}, hooks{0};
    {
      lifecycle service(patient());
      service.on_drain("drain", [&] { ++hooks; });
      service.on_compensate("compensate", [&] { ++hooks; });
      for (int i = 0; i < 10; ++i)
        service.go("one", [&] {
          defer gone([&] { ++ended; });
          chan<int>().recv();
        });
    }
    e.equal(hooks.load(), 0);
    // Those whose turn had not come saw the cancel at their first point, and ran to there.
    e.equal(ended.load(), 10);
  });
}

TEST_CASE("lifecycle: fibers begun from everywhere while it comes down are waited for, each of them") {
  in_fiber({1, 2, 4}, [](expect& e) {
    for (long round = test::scale(200); round > 0; --round) {
      std::atomic<long> begun{0}, ended{0};
      std::atomic<int> hooks{0};
      {
        lifecycle service(patient());
        service.on_drain("drain", [&] { ++hooks; });
        service.on_compensate("compensate", [&] { ++hooks; });
        const auto request = [&] {
          defer gone([&] { ++ended; });
          this_fiber::yield();
        };
        for (int i = 0; i < 4; ++i)
          service.go(service.accepting(), "listener", [&, i] {
            for (int n = 0;; ++n) {
              ++begun;
              service.go("request", request);
              if (n == 5 * i) service.shutdown();
              this_fiber::yield();
            }
          });
        test::foreign outside([&] { service.shutdown(std::make_error_code(std::errc::io_error)); });
        const lifecycle_report r = service.serve();
        e(r.clean());
        e.equal(ended.load(), begun.load());
      }
      e.equal(hooks.load(), 2);
    }
  });
}
