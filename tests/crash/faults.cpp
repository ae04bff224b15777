// What the system refuses: memory, threads, timers, descriptors. Each is an error at the caller, or is done without;
// and the runtime goes on, and serves when the system does again. Then signals without end, which interrupt calls.
//
// The calls of weft's own code are refused here, by functions in the place of libc's.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <system_error>
#include <vector>
#include <weft/file.hpp>
#include <weft/net.hpp>

#include "survives.hpp"
#include "tests/support/net.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::in_child;
using test::outcome;
using test::survives;
using test::verdict;

namespace {

// The sanitizers have functions of their own in these places.
constexpr bool k_no_faults = WEFT_ASAN != 0 || WEFT_TSAN != 0;

enum class call : unsigned { mmap, madvise, mprotect, pthread_create, epoll_create1, timer_create, count };
constinit std::array<std::atomic<int>, static_cast<unsigned>(call::count)> refused{};   // the error; 0: none
constinit std::array<std::atomic<int>, static_cast<unsigned>(call::count)> refusals{};  // how often it was

[[maybe_unused]] bool refuse(call c) {
  const int error = refused[static_cast<unsigned>(c)];
  if (error == 0) return false;
  ++refusals[static_cast<unsigned>(c)];
  errno = error;
  return true;
}

// The system refuses that call while this lives.
class fault {
 public:
  fault(call c, int error) : call_(c), before_(refusals[static_cast<unsigned>(c)]) {
    refused[static_cast<unsigned>(c)] = error;
  }
  ~fault() { refused[static_cast<unsigned>(call_)] = 0; }
  fault(const fault&) = delete;
  fault& operator=(const fault&) = delete;
  bool met() const { return refusals[static_cast<unsigned>(call_)] > before_; }

 private:
  call call_;
  int before_;
};

template <class Exception, class F>
bool throws(F f) {
  try {
    f();
  } catch (const Exception&) {
    return true;
  }
  return false;
}

// Fibers, channels, a sleep, a long computation beside a waiting one: the runtime is whole.
bool works() {
  const chan<int> c;
  wait_group all;
  std::atomic<int> sum{0};
  for (int i = 1; i <= 100; ++i) all.go([&, i] { c.send(i); });
  for (int i = 0; i < 100; ++i) sum += *c.recv();
  all.wait();
  this_fiber::sleep_for(1ms);
  test::hogs hogs(2);
  hogs.await_turns();
  return sum == 5050 && blocking([] { return 7; }) == 7;
}

}  // namespace

#if !WEFT_ASAN && !WEFT_TSAN
// Weft's own calls are bound to these, statically linked as it is; of the calls of libraries only pthread_create's are
// refused, for libstdc++ makes weft's threads.
extern "C" void* mmap(void* at, std::size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  extern char __executable_start, etext;
  const auto* const caller = static_cast<const char*>(__builtin_return_address(0));
  if (caller >= &__executable_start && caller < &etext && refuse(call::mmap)) return MAP_FAILED;
  return reinterpret_cast<void*>(::syscall(SYS_mmap, at, size, protection, flags, fd, offset));
}
extern "C" int madvise(void* at, std::size_t size, int advice) noexcept {
  if (advice != MADV_DONTNEED && refuse(call::madvise)) return -1;  // the allocator relies on that one
  return static_cast<int>(::syscall(SYS_madvise, at, size, advice));
}
extern "C" int mprotect(void* at, std::size_t size, int protection) noexcept {
  if (refuse(call::mprotect)) return -1;
  return static_cast<int>(::syscall(SYS_mprotect, at, size, protection));
}
extern "C" int epoll_create1(int flags) noexcept {
  if (refuse(call::epoll_create1)) return -1;
  return static_cast<int>(::syscall(SYS_epoll_create1, flags));
}
extern "C" int timer_create(clockid_t clock, sigevent* event, timer_t* made) noexcept {
  if (refuse(call::timer_create)) return -1;
  static const auto theirs = reinterpret_cast<decltype(&::timer_create)>(::dlsym(RTLD_NEXT, "timer_create"));
  return theirs(clock, event, made);
}
extern "C" int pthread_create(pthread_t* made, const pthread_attr_t* how, void* (*main)(void*),
                              void* argument) noexcept {
  if (refuse(call::pthread_create)) return errno;
  static const auto theirs = reinterpret_cast<decltype(&::pthread_create)>(::dlsym(RTLD_NEXT, "pthread_create"));
  return theirs(made, how, main, argument);
}
#endif

TEST_CASE("faults: no memory for fibers is an exception where one is made" * doctest::skip(k_no_faults)) {
  const outcome seen = in_child([] {
    verdict v;
    run(test::on(1), [&] {
      std::vector<task<int>> made;
      {
        const no_preempt none_begins;  // for want of a stack that would be the end: the next case
        const fault none(call::mmap, ENOMEM);
        v(throws<std::bad_alloc>([&] {
          for (int i = 0; i < 100'000; ++i) made.push_back(spawn([i] { return i; }));  // what is there serves some
        }));
        v(none.met());
      }
      for (std::size_t i = 0; i < made.size(); ++i) v(made[i].join() == static_cast<int>(i));
      v(works());
    });
    return v.status();
  });
  CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
  CHECK_MESSAGE(seen.status == 0, "signal ", seen.signal, "; ", seen.errors);
}

TEST_CASE("faults: no memory for the stack of a fiber that begins ends the process, and it says so" *
          doctest::skip(k_no_faults)) {
  const outcome seen = in_child([] {
    run(test::on(1), [] {
      const fault none(call::mmap, ENOMEM);
      const chan<void> never;
      for (int i = 0; i < 1'000; ++i) go([=] { never.recv(); });
      for (;;) this_fiber::yield();
    });
    return 0;
  });
  CHECK(seen.died());
  CHECK_MESSAGE(seen.says("weft: no stack for fiber"), seen.errors);
  CHECK_MESSAGE(seen.says("ulimit -v"), seen.errors);
}

TEST_CASE("faults: no memory for threads' signal stacks: as if there were no thread" * doctest::skip(k_no_faults)) {
  const outcome seen = in_child([] {
    verdict v;
    {
      const fault none(call::mmap, ENOMEM);
      v(throws<std::exception>([] { run(test::on(2), [] {}); }));
      v(none.met());
    }
    run(test::on(1), [&] {
      blocking([] { ::usleep(1'000); });  // what stacks and fibers there must be are there now
      {
        const fault none(call::mmap, ENOMEM);
        wait_group all;
        for (int i = 0; i < 10; ++i) all.go([&] { ::usleep(5'000); });
        all.wait();
      }
      v(works());
    });
    return v.status();
  });
  CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
  CHECK_MESSAGE(seen.status == 0, "signal ", seen.signal, "; ", seen.errors);
}

TEST_CASE("faults: guards that the kernel does not give are done without" * doctest::skip(k_no_faults)) {
  for (const bool before : {true, false}) {
    const outcome seen = in_child([before] {
      verdict v;
      std::optional<fault> advice, protection;
      const auto begin = [&] {
        advice.emplace(call::madvise, EINVAL);
        protection.emplace(call::mprotect, ENOMEM);
      };
      if (before) begin();
      run(test::on(2), [&] {
        if (!before) begin();
        for (const std::size_t size : {std::size_t{64} << 10, std::size_t{1} << 20}) {
          wait_group all;
          for (int i = 0; i < 50; ++i) {
            all.add(1);
            go({.stack_size = size}, [&] {
              this_fiber::yield();
              all.done();
            });
          }
          all.wait();
        }
        v(works());
        v(advice->met() || protection->met());
        advice.reset();
        protection.reset();
        v(works());
      });
      return v.status();
    });
    CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
    CHECK_MESSAGE(seen.status == 0, "signal ", seen.signal, "; ", seen.errors);
  }
}

TEST_CASE("faults: no threads: a run says so and can be tried again; one under way makes do with those it has" *
          doctest::skip(k_no_faults)) {
  test::for_processors({1, 2}, [](unsigned processors) {
    const outcome seen = in_child([=] {
      verdict v;
      {
        const fault none(call::pthread_create, EAGAIN);
        v(throws<std::system_error>([=] { run(test::on(processors), [] {}); }));
        v(none.met());
      }
      run(test::on(processors), [&] {
        {
          const fault none(call::pthread_create, EAGAIN);
          wait_group all;
          for (int i = 0; i < 20; ++i)
            all.go([&] {
              blocking([] { ::usleep(1'000); });
              ::usleep(1'000);
              this_fiber::sleep_for(100us);
            });
          all.wait();
          v(error_of(net::resolve("tcp", "localhost:80")) == std::errc::resource_unavailable_try_again);
          v(none.met());
        }
        v(works());
        v(net::resolve("tcp", "localhost:80").has_value());
      });
      return v.status();
    });
    CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
    CHECK_MESSAGE(seen.status == 0, "signal ", seen.signal, "; ", seen.errors);
  });
}

TEST_CASE("faults: without timers of their own the workers' loops are still interrupted" *
          doctest::skip(k_no_faults || WEFT_TSAN != 0)) {
  test::for_processors({1, 2}, [](unsigned processors) {
    const outcome seen = in_child([=] {
      verdict v;
      const fault none(call::timer_create, EAGAIN);
      run(test::on(processors), [&] { v(works()); });
      v(none.met());
      return v.status();
    });
    CHECK_MESSAGE(!seen.timed_out, "hangs; ", seen.errors);
    CHECK_MESSAGE(seen.status == 0, "signal ", seen.signal, "; ", seen.errors);
  });
}

TEST_CASE("faults: no descriptor for the poller is the caller's error, once" * doctest::skip(k_no_faults)) {
  survives([](verdict& v, unsigned) {
    {
      const fault none(call::epoll_create1, EMFILE);
      v(error_of(net::listen("tcp", "127.0.0.1:0")) == std::errc::too_many_files_open);
      v(none.met());
    }
    {
      std::array<int, 2> ends{};
      v(::pipe2(ends.data(), O_NONBLOCK) == 0);
      const int far = ::fcntl(ends[0], F_DUPFD, 900);  // beyond the table of who waits
      const fault none(call::mmap, ENOMEM);
      v(error_of(wait_readable(far)) == std::errc::not_enough_memory);
      v(none.met());
      for (const int fd : {far, ends[0], ends[1]}) ::close(fd);
    }
    const test::tcp_pair pair;
    v(pair.a.write("x").has_value());
    std::string some(3, '\0');
    v(pair.b.read(some).value_or(0) == 1);
    v(works());
  });
}

namespace {

// Sends signals to every thread of the process, about ten thousand a second.
class storm {
 public:
  storm() : thread_([this] { rage(); }) {}
  ~storm() {
    over_ = true;
    thread_.join();
  }
  storm(const storm&) = delete;
  storm& operator=(const storm&) = delete;

 private:
  void rage() const {
    for (unsigned round = 0; !over_; ++round) {
      const std::unique_ptr<DIR, int (*)(DIR*)> tasks(::opendir("/proc/self/task"), ::closedir);
      while (const dirent* entry = ::readdir(tasks.get())) {
        const int thread = std::atoi(entry->d_name);
        if (thread <= 0 || thread == ::gettid()) continue;
        ::syscall(SYS_tgkill, ::getpid(), thread, round % 2 == 0 ? SIGURG : SIGUSR1);
        ::usleep(100);
      }
    }
  }
  std::atomic<bool> over_{false};
  test::foreign thread_;
};

// So many numbered bytes from one to the other, none lost, doubled or moved.
template <class Writer, class Reader>
void stream(verdict& v, const Writer& to, const Reader& from, std::size_t size) {
  auto writes = spawn([&] {
    std::vector<char> some(10'000);
    for (std::size_t sent = 0; sent < size; sent += some.size()) {
      test::fill(some, sent);
      v(to.write(some).value_or(0) == some.size());
    }
    return to.close().has_value();
  });
  std::vector<char> some(7'000);
  std::size_t got = 0;
  for (;;) {
    const result<std::size_t> n = from.read(some);
    v(n.has_value());
    if (!n || *n == 0) break;
    v(test::right({some.data(), *n}, got));
    got += *n;
  }
  v(writes.join());
  v(got == size);
}

}  // namespace

TEST_CASE("faults: ten thousand signals a second that interrupt calls change nothing") {
  const auto size = static_cast<std::size_t>(test::scale(500)) * 10'000;
  survives(
      [=](verdict& v, unsigned) {
        const storm signals;
        wait_group all;
        all.go([&] {
          const test::tcp_pair pair;
          stream(v, pair.a, pair.b, size);
        });
        all.go([&] {
          const io::pipe_ends ends = test::need(io::pipe());
          stream(v, ends.writer, ends.reader, size);
        });
        all.go([&] {
          std::array<int, 2> fds{};
          v(::pipe(fds.data()) == 0);
          const io::file reads = test::need(io::file::adopt(fds[0])), writes = test::need(io::file::adopt(fds[1]));
          stream(v, writes, reads, size);
        });
        all.go([&] {
          for (long i = 0, rounds = test::scale(300); i < rounds; ++i) {
            const auto begin = clock::now();
            this_fiber::sleep_for(1ms);
            v(clock::now() - begin >= 1ms);
            v(net::resolve("tcp", "127.0.0.1:80").has_value());
          }
        });
        all.wait();
        v(test::heard[SIGUSR1] > 0);
      },
      [] { test::handle(SIGUSR1, test::count_signal, 0); });
}
