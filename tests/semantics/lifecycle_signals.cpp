// lifecycle: signals, lame duck, what is left over, the report.
#include <csignal>
#include <stdexcept>
#include <system_error>

#include "tests/support/lifecycle.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::hooks_of;
using test::in_fiber;
using test::patient;
using test::wait_for_end;
using test::what;
using phase = lifecycle_phase;
using outcome = hook_outcome;

TEST_CASE("lifecycle: what does not heed its context holds up nothing, is left, and is named") {
  in_fiber([](expect& e) {
    lifecycle_options o = patient();
    o.drain = o.compensate = 1ms;
    o.unwind = 0ms;
    const chan<void> release;
    std::atomic<int> ended{0};
    const auto deaf = [&] {
      const shield_scope nothing_is_thrown;
      release.recv();
      ++ended;
    };
    {
      lifecycle service(o);
      service.go("a request with a name longer than what the fiber keeps", deaf);
      service.on_drain("drain", deaf);
      service.on_compensate("second", deaf);  // begins though the first never ends
      service.on_compensate("first", deaf);
      service.shutdown();
      const lifecycle_report r = service.serve();
      e.equal(hooks_of(r), std::string("drain:timed out first:timed out second:timed out "));
      e(!r.clean());
      std::string names;
      for (const debug::fiber_info& f : r.left) names += f.name + '|';
      e.equal(names, std::string("a request with a name longer than what the fiber keeps|drain|first|second|"));
      for (const debug::fiber_info& f : r.left) e(f.spawned_at.find("semantics/lifecycle") != std::string::npos);
      for (int i = 0; i < 4; ++i) release.send();
      while (ended != 4) this_fiber::yield();
      while (debug::fibers().size() > 1) this_fiber::yield();  // so that the destructor finds none
    }
  });
}

TEST_CASE("lifecycle: lame duck comes before the draining's own time") {
  in_fiber([](expect& e) {
    lifecycle_options o = patient();
    o.lame_duck = 2ms;
    lifecycle service(o);
    const auto before = clock::now();
    service.on_drain("drain", [&](const context& ctx) {
      e(clock::now() - before >= 2ms);
      e(service.accepting().err() == errc::canceled);
      e(ctx.deadline() >= before + 2ms + 1h);
    });
    service.go("asks", [&] {
      while (!service.is_ready()) this_fiber::yield();
      service.shutdown();
    });
    const lifecycle_report r = service.serve();
    e(r.clean());
    e.equal(r.hooks.size(), 1u);
  });
}

TEST_CASE("lifecycle: the first signal asks, and each further one cuts the phase short that it finds") {
  in_fiber([](expect& e) {
    lifecycle_options o = patient();
    o.signals = {SIGUSR1, SIGUSR2};
    lifecycle service(o);
    service.on_drain("drain", [](const context& ctx) {
      raise(SIGUSR2);
      wait_for_end(ctx);
    });
    service.go("stuck", [] { chan<int>().recv(); });
    service.on_compensate("never", [] {});
    service.on_compensate("compensate", [&](const context& ctx) {
      e(!ctx.err());
      raise(SIGUSR1);
      wait_for_end(ctx);
    });
    service.on_compensate("well", [] {});
    raise(SIGUSR1);
    const lifecycle_report r = service.serve();
    e.equal(hooks_of(r), std::string("drain:cut short well:completed compensate:cut short never:skipped "));
    e(what(r.cause).find(strsignal(SIGUSR1)) != std::string::npos);
    e(r.left.empty());
  });
}

TEST_CASE("lifecycle: the first signal changes nothing when the shutdown was asked for before") {
  in_fiber([](expect& e) {
    lifecycle_options o = patient();
    o.signals = {SIGUSR1};
    lifecycle service(o);
    const chan<int> witness{1};
    signals::notify(witness, {SIGUSR1});
    service.on_drain("drain", [&](const context& ctx) {
      raise(SIGUSR1);
      witness.recv();
      test::settle();  // the lifecycle has heard it, too; if it had not, all the better
      e(!ctx.err());
    });
    service.shutdown(std::make_error_code(std::errc::io_error));
    const lifecycle_report r = service.serve();
    e(r.clean());
    e.equal(what(r.cause), std::system_error(std::make_error_code(std::errc::io_error)).what());
    signals::stop(witness);
  });
}

TEST_CASE("lifecycle: lame duck: not ready, and accepting; a further signal ends it, and the draining with it") {
  in_fiber([](expect& e) {
    lifecycle_options o = patient();
    o.signals = {SIGUSR1};
    o.lame_duck = 1h;
    lifecycle service(o);
    service.go(service.accepting(), "listener", [&] {
      while (!service.is_ready()) this_fiber::yield();
      raise(SIGUSR1);
      while (service.phase() != phase::draining) this_fiber::yield();
      e(!service.is_ready());
      e(!service.accepting().err());
      raise(SIGUSR1);
      chan<int>().recv();
    });
    service.on_drain("drain", [] {});
    service.on_compensate("compensate", [] {});
    const lifecycle_report r = service.serve();
    e.equal(hooks_of(r), std::string("drain:skipped compensate:completed "));
  });
}

TEST_CASE("lifecycle: misuse throws and says what") {
  in_fiber([](expect& e) {
    const auto refuses = [&](const char* name, auto change) {
      lifecycle_options o = patient();
      change(o);
      try {
        const lifecycle service(o);
        e(false);
      } catch (const std::invalid_argument& error) {
        e(std::string(error.what()).find(name) != std::string::npos);
      }
    };
    refuses("drain", [](auto& o) { o.drain = 0s; });
    refuses("compensate", [](auto& o) { o.compensate = -1s; });
    refuses("unwind", [](auto& o) { o.unwind = -1ns; });
    refuses("lame_duck", [](auto& o) { o.lame_duck = -1ns; });
    lifecycle_options bad = patient();
    bad.signals = {SIGUSR1, SIGKILL};
    e.throws<std::logic_error>([&] { const lifecycle service(bad); });
    lifecycle service(patient());
    service.on_drain("drain", [&] {
      e.throws<std::logic_error>([&] { service.on_compensate("late", [] {}); });
      e.throws<std::logic_error>([&] { service.on_drain("late", [] {}); });
    });
    service.shutdown();
    e(service.serve().clean());
    e.throws<std::logic_error>([&] { static_cast<void>(service.serve()); });
  });
  CHECK_THROWS_AS(lifecycle(lifecycle_options{}), std::logic_error);  // no run
}

TEST_CASE("lifecycle: the longest times do not overflow") {
  in_fiber([](expect& e) {
    lifecycle_options o = patient();
    o.drain = o.compensate = o.unwind = clock::duration::max();
    lifecycle service(o);
    service.on_drain("drain", [&](const context& ctx) { e(!ctx.err()); });
    service.on_compensate("compensate", [&](const context& ctx) { e(!ctx.err()); });
    service.shutdown();
    e(service.serve().clean());
  });
}

TEST_CASE("lifecycle: the report in words") {
  in_fiber([](expect& e) {
    lifecycle_report r;
    r.cause = std::make_exception_ptr(std::runtime_error("enough"));
    r.hooks.push_back({"http", phase::draining, outcome::completed, nullptr, 12ms});
    r.hooks.push_back(
        {"db", phase::compensating, outcome::failed, std::make_exception_ptr(std::runtime_error("gone")), 3ms});
    r.hooks.push_back({"cache", phase::compensating, outcome::skipped, nullptr, {}});
    r.failures.push_back({"worker", std::make_exception_ptr(std::runtime_error("bad"))});
    debug::fiber_info f{};
    f.id = fiber_id{9};
    f.name = "stuck";
    f.state = "waiting";
    f.wait_reason = "channel receive";
    f.waited = 20ms;
    f.spawned_at = "main.cpp:3";
    r.left.push_back(f);
    f.name = "slow";
    f.state = "running";
    f.wait_reason = "";
    r.unfinished.push_back(f);
    std::ostringstream text;
    text << r;
    e.equal(text.str(),
            std::string("shutdown: enough\n"
                        "draining 'http': completed after 12 ms\n"
                        "compensating 'db': failed after 3 ms: gone\n"
                        "compensating 'cache': skipped\n"
                        "fiber 'worker' failed: bad\n"
                        "unfinished: fiber 9 'slow', running, spawned at main.cpp:3\n"
                        "left: fiber 9 'stuck', waiting: channel receive for 20 ms, spawned at main.cpp:3\n"));
  });
}
