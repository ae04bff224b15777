// Signals that end the process, or would.
//
// ThreadSanitizer holds back a signal that finds its thread in a system call it does not know, as the first thread is
// in run(), so what is sent to the whole process is not tested under it.
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "child.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::in_child;
using test::outcome;

TEST_CASE("signals: Ctrl-C cancels notify_context and main returns" * doctest::skip(WEFT_TSAN != 0)) {
  for (const unsigned processors : {1u, 4u}) {
    const auto body = [processors] {
      return run(test::on(processors), [] {
        auto [ctx, cancel] = signals::notify_context(background(), {SIGINT, SIGTERM});
        auto t = spawn(ctx, [] { this_fiber::sleep_for(1h); });
        test::tell("ready\n");
        return t.join(background()) ? 1 : 0;
      });
    };
    for (const int s : {SIGINT, SIGTERM}) {
      const outcome seen = in_child(body, "ready", s);
      CHECK_MESSAGE(seen.status == 0, seen.errors);
    }
  }
}

TEST_CASE("signals: Ctrl-C comes through a tight loop on every processor" * doctest::skip(WEFT_TSAN != 0)) {
  const outcome seen = in_child(
      [] {
        run(test::on(2), [] {
          const chan<int> c{1};
          signals::notify(c, {SIGINT});
          std::atomic<bool> end{false};
          wait_group all;
          for (int i = 0; i < 4; ++i)
            all.go([&] {
              while (!end) this_fiber::poll();
            });
          test::tell("ready\n");
          c.recv();
          end = true;
          all.wait();
        });
        return 0;
      },
      "ready", SIGINT);
  CHECK_MESSAGE(seen.status == 0, seen.errors);
}

TEST_CASE("signals: after stop, or the end of notify_context, the default action is back") {
  const outcome stopped = in_child([] {
    run([] {
      const chan<int> c{1};
      signals::notify(c, {SIGTERM});
      signals::stop(c);
      raise(SIGTERM);
    });
    return 0;
  });
  CHECK(stopped.signal == SIGTERM);
  const outcome ended = in_child([] {
    run([] {
      {
        auto scope = signals::notify_context(background(), {SIGINT});
      }
      raise(SIGINT);
    });
    return 0;
  });
  CHECK(ended.signal == SIGINT);
}

TEST_CASE("signals: an ignored signal is heard while registered, and ignored again after") {
  const outcome seen = in_child([] {
    std::signal(SIGHUP, SIG_IGN);
    return run([] {
      const chan<int> c{1};
      signals::notify(c, {SIGHUP});
      raise(SIGHUP);
      const bool heard = c.recv() == SIGHUP;
      signals::stop(c);
      raise(SIGHUP);
      return heard && c.len() == 0 ? 0 : 1;
    });
  });
  CHECK_MESSAGE(seen.status == 0, seen.errors);
}

// UBSan, which comes with the address sanitizer, asks a pipe whether memory is there: without one it reports any
// object.
TEST_CASE("signals: without a descriptor to be had a thread delivers, in a run as well" *
          doctest::skip(WEFT_ASAN != 0)) {
  const outcome seen = in_child([] {
    const rlimit none{3, 3};  // those for stdin, stdout and stderr
    if (::setrlimit(RLIMIT_NOFILE, &none) != 0) return 1;
    return run(test::on(2), [] {
      const chan<int> c{1};
      signals::notify(c, {SIGUSR1});
      for (int i = 0; i < 100; ++i) {
        raise(SIGUSR1);
        if (c.recv() != SIGUSR1) return 2;
      }
      signals::stop(c);
      auto [ctx, cancel] = signals::notify_context(background(), {SIGUSR1});
      raise(SIGUSR1);
      ctx.done().recv();
      return ctx.err() == errc::canceled ? 0 : 3;
    });
  });
  CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
  CHECK_MESSAGE(seen.status == 0, "status ", seen.status, "; ", seen.errors);
}

TEST_CASE("signals: no deadlock is reported while one is registered; one is when none is any more" *
          doctest::skip(WEFT_TSAN != 0)) {
  const outcome heard = in_child([] {
    if (fork() == 0) {
      std::this_thread::sleep_for(300ms);  // longer than an idle runtime takes to report
      kill(getppid(), SIGUSR1);
      _exit(0);
    }
    return run(test::on(2), [] {
      const chan<int> c{1};
      signals::notify(c, {SIGUSR1});
      return c.recv() == SIGUSR1 ? 0 : 1;
    });
  });
  CHECK_MESSAGE(heard.status == 0, heard.errors);
  if (test::count_threads() > 1) return;  // an emulator's: nothing is reported then
  const outcome dead = in_child([] {
    run(test::on(2), [] {
      const chan<int> c{1};
      signals::notify(c, {SIGUSR1});
      signals::stop(c);
      c.recv();
    });
    return 0;
  });
  CHECK_MESSAGE(dead.status == 2, dead.errors);
  CHECK_MESSAGE(dead.says("deadlock"), dead.errors);
}
