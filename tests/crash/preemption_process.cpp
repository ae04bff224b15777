// Preemption beside what else is done to a process: identities, signals, children, debuggers, a busy machine. As
// preemption.cpp.
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/sched/scheduler.hpp"
#include "survives.hpp"

using namespace weft;
using test::count_signal;
using test::every_millisecond;
using test::handle;
using test::heard;
using test::in_child;
using test::outcome;
using test::sleepers;
using test::survives;
using test::verdict;

namespace {

using test::k_no_signals;

// No loop runs on without a processor, taken for blocked: seen once there is none; one that is never called in would be
// there at every look. By what the runtime holds of its threads: for the kernel those run, too, that wait for a CPU on
// their way to sleep, and on a busy machine some do at every look.
bool hogs_keep_to_processors() {
  const auto detached = [] {
    for (const runtime::worker* m = runtime::sched().all_workers; m != nullptr; m = m->next_all)
      if (m->detached) return true;
    return false;
  };
  for (int look = 0; look < 3000; ++look) {
    if (!detached()) return true;
    this_fiber::sleep_for(1ms);
  }
  return false;
}

// Busy processes that compete for the CPUs.
class load {
 public:
  explicit load(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::close(STDERR_FILENO);  // who collects our errors waits for its last writer
        for (;;) test::spin(1'000'000);
      }
      children_.push_back(child);
    }
  }
  ~load() {
    for (const pid_t child : children_) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
  }
  load(const load&) = delete;
  load& operator=(const load&) = delete;

 private:
  std::vector<pid_t> children_;
};

int exit_status(pid_t child) {
  int status = -1;
  while (blocking([&] { return ::waitpid(child, &status, 0); }) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

}  // namespace

TEST_CASE("preemption: setuid and pthread_cancel while fifty threads are parked in the handler" *
          doctest::skip(k_no_signals)) {
  const long rounds = test::scale(50);
  survives([&](verdict& v, unsigned processors) {
    test::hogs hogs(50 + processors);
    hogs.await_turns();  // all have begun; all but P of them are parked
    while (runtime::preempt_stats().pinned < 50) this_fiber::sleep_for(1ms);
    const auto disturb = [&] {
      for (long i = 0; i < rounds; ++i) {
        v(::setuid(::getuid()) == 0);  // glibc makes each thread do it, by a signal of its own
        v(::setgid(::getgid()) == 0);
        pthread_t plain{};
        const auto body = [](void*) -> void* {
          for (;;) ::pause();
        };
        v(::pthread_create(&plain, nullptr, body, nullptr) == 0);
        v(::pthread_cancel(plain) == 0);
        void* result = nullptr;
        blocking([&] { return ::pthread_join(plain, &result); });
        v(result == PTHREAD_CANCELED);
      }
    };
    disturb();
    test::foreign thread(disturb);
    thread.join();
    hogs.await_turns();
  });
}

TEST_CASE("preemption: fork and exec, posix_spawn and system" * doctest::skip(k_no_signals)) {
  const long rounds = test::scale(20);
  survives([&](verdict& v, unsigned processors) {
    test::hogs hogs(processors);
    const sleepers due(processors);
    wait_group all;
    for (int fiber = 0; fiber < 3; ++fiber)
      all.go([&, rounds] {
        for (long i = 0; i < rounds; ++i) {
          const pid_t child = ::fork();
          if (child == 0) {
            ::execl("/bin/true", "true", nullptr);
            ::_exit(127);
          }
          v(exit_status(child) == 0);
          pid_t spawned = 0;
          std::array<char, 6> name{"false"};
          std::array<char*, 2> words{name.data(), nullptr};
          v(::posix_spawn(&spawned, "/bin/false", nullptr, nullptr, words.data(), environ) == 0);
          v(exit_status(spawned) == 1);
          const int status = std::system("exit 3");
          v(WIFEXITED(status) && WEXITSTATUS(status) == 3);
        }
      });
    all.wait();
    hogs.await_turns();
  });
}

TEST_CASE("preemption: handlers for SIGTERM, SIGPROF and SIGCHLD hear their signals" * doctest::skip(k_no_signals)) {
  const long rounds = test::scale(200);
  survives([&](verdict& v, unsigned processors) {
    for (const int signal : {SIGTERM, SIGPROF, SIGCHLD}) handle(signal, count_signal, SA_RESTART);
    every_millisecond(ITIMER_PROF);
    test::hogs hogs(3 * processors);
    const sleepers due(processors);
    test::foreign sender([&] {
      for (long i = 1; i <= rounds; ++i) {
        ::kill(::getpid(), SIGTERM);
        while (heard[SIGTERM] < i) std::this_thread::yield();
      }
    });
    for (long i = 1; i <= rounds / 10 + 1; ++i) {
      const pid_t child = ::fork();
      if (child == 0) ::_exit(0);
      v(exit_status(child) == 0);
      while (heard[SIGCHLD] < i) this_fiber::sleep_for(100us);
    }
    sender.join();
    while (heard[SIGPROF] < rounds) this_fiber::sleep_for(1ms);
    const itimerval off{};
    setitimer(ITIMER_PROF, &off, nullptr);
    v(heard[SIGTERM] == rounds);
    hogs.await_turns();
  });
}

TEST_CASE("preemption: a handler for SIGURG that was there before still hears what others send" *
          doctest::skip(k_no_signals)) {
  survives(
      [](verdict& v, unsigned processors) {
        for (int i = 0; i < 100; ++i) {
          const long before = heard[SIGURG];
          do ::raise(SIGURG);
          while (heard[SIGURG] == before);  // one that finds weft's pending is one with it, for the kernel
        }
        const long all = heard[SIGURG];
        test::hogs hogs(2 * processors);
        hogs.await_turns();
        v(all >= 100 && heard[SIGURG] == all);  // weft's own are not for it
      },
      [] { handle(SIGURG, count_signal, 0); });
}

TEST_CASE("preemption: stopped and continued, the program goes on" * doctest::skip(k_no_signals)) {
  survives([](verdict& v, unsigned processors) {
    test::hogs hogs(3 * processors);
    const sleepers due(processors);
    hogs.await_turns();
    const pid_t program = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
      for (int i = 0; i < 20; ++i) {
        ::kill(program, SIGSTOP);
        ::usleep(5'000);
        ::kill(program, SIGCONT);
        ::usleep(5'000);
      }
      ::_exit(0);
    }
    v(exit_status(child) == 0);
    const long before = due.turns();
    while (due.turns() < before + 10) this_fiber::sleep_for(1ms);
    hogs.await_turns();
    v(hogs_keep_to_processors());
  });
}

namespace {

// As a debugger does: stops every thread of the program, lets it go on, and hands on the signals it meets.
bool attach_and_detach(pid_t program) {
  std::vector<pid_t> threads;
  const std::string path = "/proc/" + std::to_string(program) + "/task";
  {
    const std::unique_ptr<DIR, int (*)(DIR*)> tasks(::opendir(path.c_str()), ::closedir);
    if (!tasks) return false;
    while (const dirent* entry = ::readdir(tasks.get()))
      if (entry->d_name[0] != '.') threads.push_back(std::atoi(entry->d_name));
  }
  std::vector<std::pair<pid_t, int>> stopped;  // and the signal it was about to get
  for (const pid_t thread : threads) {
    if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) continue;
    ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
    int status = 0;
    if (::waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status)) continue;
    stopped.emplace_back(thread, status >> 16 != 0 ? 0 : WSTOPSIG(status));
  }
  for (const auto& [thread, signal] : stopped) ::ptrace(PTRACE_DETACH, thread, nullptr, signal);
  return !stopped.empty();
}

}  // namespace

TEST_CASE("preemption: a debugger attaches and detaches" * doctest::skip(k_no_signals || WEFT_ASAN != 0)) {
  survives([](verdict& v, unsigned processors) {
    test::hogs hogs(3 * processors);
    const sleepers due(processors);
    hogs.await_turns();
    const pid_t program = ::getpid();
    ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    const pid_t child = ::fork();
    if (child == 0) {
      bool allowed = true;
      for (int i = 0; i < 20 && allowed; ++i) allowed = attach_and_detach(program);
      ::_exit(allowed ? 0 : 77);
    }
    const int status = exit_status(child);
    if (status == 77) test::tell("not allowed to trace here\n");
    v(status == 0 || status == 77);
    const long before = due.turns();
    while (due.turns() < before + 10) this_fiber::sleep_for(1ms);
    hogs.await_turns();
    v(hogs_keep_to_processors());
  });
}

TEST_CASE("preemption: on a machine with eight busy processes nothing hangs, no loop is taken for blocked for ever" *
          doctest::skip(k_no_signals)) {
  const long rounds = test::scale(100);
  test::for_processors({1, 2}, [&](unsigned processors) {
    const outcome seen = in_child([&] {
      verdict v;
      const load busy(8);
      run(test::on(processors), [&] {
        test::hogs hogs(4 * processors);
        hogs.await_turns();
        for (long i = 0; i < rounds; ++i) this_fiber::sleep_for(1ms);
        std::array<int, 2> ends{};
        v(::pipe(ends.data()) == 0);
        for (long i = 0; i < rounds / 10 + 1; ++i) {
          auto reader = spawn([&] {
            char c = 0;
            return ::read(ends[0], &c, 1);
          });
          this_fiber::sleep_for(1ms);
          v(::write(ends[1], "x", 1) == 1);
          v(reader.join() == 1);
        }
        hogs.await_turns();
        v(hogs_keep_to_processors());
      });
      return v.status();
    });
    CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
    CHECK_MESSAGE(seen.status == 0, "signal ", seen.signal, "; ", seen.errors);
  });
}

// monitor                                      worker, the only one: fiber a
// -------                                      ----------------------------
//                                              while (!flag) sched_yield(): next to no CPU, the other processes have it
// neither computes (a quarter of the time)
// nor stands still, blocked in the kernel:
// nothing to do                                … and the fiber that would set the flag never runs
TEST_CASE("preemption: a loop that gives the CPU away to eight busy processes still gives way to fibers" *
          doctest::skip(k_no_signals)) {
  const long rounds = test::scale(3);
  test::for_processors({1, 2}, [&](unsigned processors) {
    const outcome seen = in_child([&] {
      const load busy(8);
      run(test::on(processors), [&] {
        for (long i = 0; i < rounds; ++i) {
          std::atomic<bool> flag{false};
          std::atomic<unsigned> begun{0};
          wait_group all;
          for (unsigned fiber = 0; fiber < processors; ++fiber)
            all.go([&] {
              for (++begun; !flag;) ::sched_yield();
            });
          while (begun < processors) this_fiber::yield();
          flag = true;
          all.wait();
        }
      });
      return 0;
    });
    CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
    CHECK_MESSAGE(seen.status == 0, "signal ", seen.signal, "; ", seen.errors);
  });
}
