// Look-ups of names that hang: who waits may leave, and so may the program.
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string_view>
#include <weft/net.hpp>

#include "child.hpp"
#include "tests/support/support.hpp"

using namespace weft;

static std::atomic<int> hanging{0};

// In the place of the system's: a name server that never answers.
extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  if (host != nullptr && std::string_view(host) == "never.invalid")
    for (++hanging;;) ::pause();
  static const auto theirs = reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return theirs(host, service, hints, found);
}

TEST_CASE("look-up: one that hangs holds up neither its caller, when cancelled, nor the end of the run") {
  test::for_processors({1, 2}, [](unsigned processors) {
    const test::outcome seen = test::in_child([=] {
      int wrong = 0;
      const auto expect = [&](bool holds, const char* what) {
        if (holds) return;
        ++wrong;
        test::tell(what);
      };
      for (int runs = 0; runs < 2; ++runs)
        run(test::on(processors), [&] {
          auto soon = with_timeout(background(), 20ms);
          expect(error_of(net::dial(soon.ctx, "tcp", "never.invalid:80")) == errc::deadline_exceeded, "deadline\n");
          auto bound = spawn([] { static_cast<void>(net::resolve("tcp", "never.invalid:80")); });
          this_fiber::yield();
          bound.cancel();
          try {
            bound.join();
            expect(false, "not cancelled\n");
          } catch (const canceled&) {
          }
          expect(net::resolve("tcp", "localhost:80").has_value(), "localhost\n");
        });
      return wrong;
    });
    CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
    CHECK(seen.status == 0);
    CHECK(seen.errors == "");
  });
}

TEST_CASE("look-up: where so many hang that none can begin, who is cancelled while it waits to begin leaves") {
  const test::outcome seen = test::in_child([] {
    return run([] {
      // Cancelled once each hangs or waits. (After 50 ms, as it was, not all that could had begun on a busy machine,
      // and the next found a place.)
      auto asking = with_cancel(background());
      std::atomic<int> ended{0};
      wait_group all;
      for (int i = 0; i < 100; ++i)
        all.go([&] { ended += error_of(net::resolve(asking.ctx, "tcp", "never.invalid:80")) == errc::canceled; });
      long waiting = 0;
      do {
        this_fiber::yield();
        waiting = std::ranges::count(debug::fibers(), "semaphore", &debug::fiber_info::wait_reason);
      } while (hanging + waiting != 100);
      if (waiting == 0) return 2;
      asking.cancel();
      all.wait();
      auto more = with_timeout(background(), 1ms);
      return ended == 100 && error_of(net::resolve(more.ctx, "tcp", "localhost:80")) == errc::deadline_exceeded ? 0 : 1;
    });
  });
  CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
  CHECK(seen.status == 0);
  CHECK(seen.errors == "");
}
