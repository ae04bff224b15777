// Where a preempting handler that knows nothing of locks, masks and other people's signals would hang or kill the
// program.
//
// Each case is a child process, as it changes what belongs to a whole process: handlers, timers, the loader's list.
// Each ends when its work has been counted; a hang is ended by in_child's patience and seen as that. ThreadSanitizer:
// weft sends no signals there, so all of this is skipped.
#include "tests/support/preemption.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "child.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::in_child;
using test::outcome;

namespace {

constexpr bool k_no_signals = WEFT_TSAN != 0;

// In the child: says on standard error which line did not hold, and counts.
class verdict {
 public:
  void operator()(bool holds, std::source_location at = std::source_location::current()) {
    if (holds) return;
    ++wrong_;
    test::tell("line " + std::to_string(at.line()) + " does not hold\n");
  }
  int status() const { return wrong_ == 0 ? 0 : 1; }

 private:
  std::atomic<int> wrong_{0};
};

// A fiber on each processor that wakes every 100 us and so wants it: preemption is due all the time.
class sleepers {
 public:
  explicit sleepers(unsigned count) {
    for (unsigned i = 0; i < count; ++i)
      all_.go([this] {
        for (; !stop_; ++turns_) this_fiber::sleep_for(100us);
      });
  }
  ~sleepers() {
    stop_ = true;
    shield([this] { all_.wait(); });
  }
  sleepers(const sleepers&) = delete;
  sleepers& operator=(const sleepers&) = delete;
  long turns() const { return turns_; }
  void await_turn() const {  // however short the work was
    while (turns_ == 0) this_fiber::yield();
  }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<long> turns_{0};
  wait_group all_;
};

// body(verdict&, processors), as main in a child of its own, on 1 and on 2 processors; before it, outside the runtime,
// `first` if there is one.
template <class F>
void survives(F&& body, void (*first)() = nullptr) {
  test::for_processors({1, 2}, [&](unsigned processors) {
    const outcome seen = in_child([&] {
      if (first != nullptr) first();
      verdict v;
      run(test::on(processors), [&] { body(v, processors); });
      return v.status();
    });
    CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
    CHECK_MESSAGE(seen.status == 0, "signal ", seen.signal, "; ", seen.errors);
  });
}

void handle(int signal, void (*f)(int), int flags) {
  struct sigaction action{};
  action.sa_handler = f;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

void every_millisecond(int which) {
  const itimerval interval{{0, 1000}, {0, 1000}};
  setitimer(which, &interval, nullptr);
}

std::atomic<long> heard[NSIG];
void count_signal(int signal) { heard[signal].fetch_add(1, std::memory_order_relaxed); }
void count_slowly(int signal) {
  test::spin(100'000);  // long enough that preemption comes due in here
  count_signal(signal);
}

// Threads of ours, but for this one, that run or want to run.
int count_running_others() {
  int running = 0;
  const std::unique_ptr<DIR, int (*)(DIR*)> tasks(::opendir("/proc/self/task"), ::closedir);
  while (const dirent* entry = ::readdir(tasks.get())) {
    if (entry->d_name[0] == '.' || std::atoi(entry->d_name) == ::gettid()) continue;
    std::ifstream stat(std::string("/proc/self/task/") + entry->d_name + "/stat");
    std::string line;
    std::getline(stat, line);
    const auto name_end = line.rfind(')');
    if (name_end != std::string::npos && line.size() > name_end + 2 && line[name_end + 2] == 'R') ++running;
  }
  return running;
}

// Nobody but the caller's own processor and its fellows' runs a hog: seen once it is true. One that ran on without a
// processor would be seen running at every look.
bool hogs_keep_to_processors(unsigned processors) {
  for (int look = 0; look < 3000; ++look) {
    if (count_running_others() < static_cast<int>(processors)) return true;
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

TEST_CASE("preemption: a user's SIGALRM handler that interrupts malloc" * doctest::skip(k_no_signals)) {
  // SA_NODEFER: no mask tells that a handler is below. SA_ONSTACK: it runs on weft's alternate stack.
  for (const int flags : {0, SA_NODEFER, SA_ONSTACK, SA_ONSTACK | SA_NODEFER}) {
    CAPTURE(flags);
    const long wanted = test::scale(400);
    survives([&](verdict& v, unsigned processors) {
      handle(SIGALRM, count_slowly, flags | SA_RESTART);
      every_millisecond(ITIMER_REAL);
      const sleepers due(processors);
      wait_group all;
      for (unsigned fiber = 0; fiber < 8; ++fiber)
        all.go([&, fiber] {
          test::random pattern(fiber + 1);
          std::array<std::unique_ptr<char[]>, 32> blocks;
          while (heard[SIGALRM] < wanted)
            blocks[pattern.below(32)] = std::make_unique<char[]>(1 + pattern.below(1 << (pattern.below(21))));
        });
      all.wait();
      const itimerval off{};
      setitimer(ITIMER_REAL, &off, nullptr);
      v(heard[SIGALRM] >= wanted);
      due.await_turn();
    });
  }
}

TEST_CASE("preemption: inside a library's constructor and destructor, under the loader's lock" *
          doctest::skip(k_no_signals)) {
  const long rounds = test::scale(20);
  survives([&](verdict& v, unsigned processors) {
    std::atomic<long> loaded{0}, caught{0};
    std::atomic<bool> stop{false};
    wait_group openers, others;
    const sleepers due(processors);
    for (int i = 0; i < 4; ++i) {
      openers.go([&] {
        for (long n = 0; n < rounds; ++n) {
          void* library = ::dlopen(WEFT_TEST_PLUGIN, RTLD_NOW | RTLD_LOCAL);
          if (library == nullptr) return v(false);
          const auto value = reinterpret_cast<long (*)()>(::dlsym(library, "weft_test_plugin_value"));
          v(value != nullptr && value() == 42);
          ::dlclose(library);
          ++loaded;
        }
      });
      others.go([&] {
        while (!stop) {
          try {
            throw 1;
          } catch (int) {
            ++caught;
          }
          ::dlclose(::dlopen("libm.so.6", RTLD_NOW));
          test::spin(10'000);
        }
      });
    }
    openers.wait();
    stop = true;
    others.wait();
    v(loaded == 4 * rounds);
    v(caught > 0);
    due.await_turn();
  });
}

namespace {

std::atomic<long> initialised{0};

template <int N>
struct slow_static {
  static long value() {
    static const long v = [] {
      test::spin(5'000'000);
      ++initialised;
      return N;
    }();
    return v;
  }
};

template <int... N>
long sum_of_slow_statics(std::integer_sequence<int, N...>) {
  return (slow_static<N>::value() + ...);
}

}  // namespace

TEST_CASE("preemption: inside the initialiser of a function's static, which others wait for" *
          doctest::skip(k_no_signals)) {
  survives([](verdict& v, unsigned processors) {
    const sleepers due(processors);
    wait_group all;
    for (int i = 0; i < 16; ++i) all.go([&] { v(sum_of_slow_statics(std::make_integer_sequence<int, 20>()) == 190); });
    all.wait();
    v(initialised == 20);
    due.await_turn();
  });
}

namespace {

std::atomic<long> bytes_written{0};

ssize_t write_slowly(void*, const char*, std::size_t size) {
  test::spin(1'000'000);
  bytes_written += static_cast<long>(size);
  return static_cast<ssize_t>(size);
}

}  // namespace

TEST_CASE("preemption: inside a stream's own write function, under stdio's locks" * doctest::skip(k_no_signals)) {
  const long rounds = test::scale(40);
  survives([&](verdict& v, unsigned processors) {
    std::FILE* slow = ::fopencookie(nullptr, "w", {nullptr, write_slowly, nullptr, nullptr});
    if (slow == nullptr) return v(false);
    const sleepers due(processors);
    wait_group all;
    for (int fiber = 0; fiber < 4; ++fiber) {
      all.go([&, rounds] {
        for (long i = 0; i < rounds; ++i) {
          std::fprintf(slow, "%08ld", i);
          std::fflush(slow);
        }
      });
      all.go([&, rounds] {
        for (long i = 0; i < rounds; ++i) {
          if (i % 8 == 0) std::fflush(nullptr);  // all streams, under the lock of their list
          std::FILE* other = std::fopen("/dev/null", "w");
          v(other != nullptr);
          std::fprintf(other, "%ld", i);
          std::fclose(other);
        }
      });
    }
    all.wait();
    std::fclose(slow);
    v(bytes_written == 4 * 8 * rounds);
    due.await_turn();
  });
}

TEST_CASE("preemption: inside dl_iterate_phdr's callback, under the loader's other lock" *
          doctest::skip(k_no_signals)) {
  const long rounds = test::scale(40);
  survives([&](verdict& v, unsigned processors) {
    const sleepers due(processors);
    std::atomic<long> walks{0}, caught{0};
    wait_group all;
    for (int fiber = 0; fiber < 4; ++fiber) {
      all.go([&, rounds] {
        for (long i = 0; i < rounds; ++i) {
          const auto callback = [](dl_phdr_info*, std::size_t, void* objects) {
            test::spin(100'000);
            ++*static_cast<int*>(objects);
            return 0;
          };
          int objects = 0;
          ::dl_iterate_phdr(callback, &objects);
          v(objects > 1);
          ++walks;
        }
      });
      all.go([&, rounds] {
        for (long i = 0; i < rounds; ++i) {
          try {
            throw i;
          } catch (long) {
            ++caught;
          }
          ::dlclose(::dlopen(WEFT_TEST_PLUGIN, RTLD_NOW | RTLD_LOCAL));
        }
      });
    }
    all.wait();
    v(walks == 4 * rounds);
    v(caught == 4 * rounds);
    due.await_turn();
  });
}

TEST_CASE("preemption: setuid and pthread_cancel while fifty threads are parked in the handler" *
          doctest::skip(k_no_signals)) {
  const long rounds = test::scale(50);
  survives([&](verdict& v, unsigned processors) {
    test::hogs hogs(50 + processors);
    hogs.await_turns();  // all have begun; all but P of them are parked
    const auto stopped = runtime::preempt_stats();
    v(stopped.pinned + stopped.detached >= 50);
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
    v(hogs_keep_to_processors(processors));
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
    v(hogs_keep_to_processors(processors));
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
        v(hogs_keep_to_processors(processors));
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

TEST_CASE("preemption: exit from a fiber, with others parked in the handler" * doctest::skip(k_no_signals)) {
  test::for_processors({1, 2}, [](unsigned processors) {
    const outcome seen = in_child([processors] {
      std::atexit([] { test::tell("at exit\n"); });
      run(test::on(processors), [&] {
        auto* hogs = new test::hogs(10);  // never stopped
        hogs->await_turns();
        std::exit(3);
      });
      return 0;
    });
    CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
    CHECK_MESSAGE(seen.status == 3, "signal ", seen.signal, "; ", seen.errors);
    CHECK(seen.says("at exit"));
  });
}

TEST_CASE("preemption: what a preempted fiber throws in vain is still reported" * doctest::skip(k_no_signals)) {
  const outcome seen = in_child([] {
    run(test::on(1), [] {
      const sleepers due(1);
      go({.name = "thrower"}, [] {
        test::spin(20'000'000);
        throw std::runtime_error("out of a hog");
      });
      this_fiber::sleep_for(1h);
    });
    return 0;
  });
  CHECK(seen.died());
  CHECK_MESSAGE(seen.says("out of a hog"), seen.errors);
  CHECK_MESSAGE(seen.says("thrower"), seen.errors);
}
