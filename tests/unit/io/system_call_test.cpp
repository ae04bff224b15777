// weft's own system calls: cut short by the bound context or a given one, never after they have done something.
#include "runtime/io/system_call.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <thread>

#include "tests/support/support.hpp"

using namespace weft;
using runtime::cancelable_syscall;
using test::expect;
using test::in_fiber;

// ThreadSanitizer delivers signals late, with a frame that is no longer true: there a call that blocks is not cut
// short.
#if WEFT_TSAN
#define CUTS_SHORT doctest::skip()
#else
#define CUTS_SHORT doctest::skip(false)
#endif

namespace {

class pipe_pair {
 public:
  pipe_pair() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("pipe");
  }
  ~pipe_pair() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  result<long> read(const context* ctx = nullptr) const {
    return cancelable_syscall(ctx, SYS_read, ends_[0], last_.data(), last_.size());
  }
  char last() const { return last_[0]; }
  void write(char c) const { static_cast<void>(!::write(ends_[1], &c, 1)); }

 private:
  std::array<int, 2> ends_{};
  mutable std::array<char, 8> last_{};
};

}  // namespace

TEST_CASE("system call: gives the value, or the system's error") {
  const auto check = [](expect& e) {
    const pipe_pair p;
    p.write('a');
    e.equal(p.read().value_or(-1), 1L);
    e.equal(p.last(), 'a');
    e.equal(cancelable_syscall(nullptr, SYS_getpid).value_or(-1), static_cast<long>(::getpid()));
    e(error_of(cancelable_syscall(nullptr, SYS_close, -1)) == std::errc::bad_file_descriptor);
    // The sixth argument arrives: an offset within a page is refused.
    e(error_of(cancelable_syscall(nullptr, SYS_mmap, nullptr, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1)) ==
      std::errc::invalid_argument);
  };
  in_fiber(check);
  expect seen;
  std::thread([&] { check(seen); }).join();
  seen.report();
}

TEST_CASE("system call: cancelled before it begins, it does not happen") {
  in_fiber([](expect& e) {
    const pipe_pair p;
    p.write('a');
    auto scope = with_cancel(background());
    auto late = with_deadline(background(), clock::now() - 1s);
    scope.cancel();
    e(error_of(p.read(&scope.ctx)) == errc::canceled);
    e(error_of(p.read(&late.ctx)) == errc::deadline_exceeded);
    auto t = spawn(scope, [&] { return error_of(p.read()); });
    e(t.join() == errc::canceled);
    auto u = spawn(late, [&] { return error_of(p.read()); });
    e(u.join() == errc::deadline_exceeded);
    // In a shield the bound context counts no more; a given one does.
    auto v = spawn(scope, [&] {
      const shield_scope closed;
      const context bound = this_fiber::context();
      const std::error_code given = error_of(p.read(&bound));
      return given == errc::canceled && p.read().value_or(-1) == 1;
    });
    e(v.join());
    e.equal(p.last(), 'a');
  });
}

TEST_CASE("system call: a given context stands in for the bound one") {
  in_fiber([](expect& e) {
    const pipe_pair p;
    p.write('a');
    auto scope = with_cancel(background());
    scope.cancel();
    const context other = background();
    auto t = spawn(scope, [&] { return p.read(&other); });
    e.equal(t.join().value_or(-1), 1L);
  });
}

TEST_CASE("system call: one that blocks is cut short, by the bound context and by a given one" * CUTS_SHORT) {
  in_fiber({1, 2, 4}, [](expect& e) {
    const pipe_pair p;
    for (int i = 0; i < 20; ++i) {
      auto bound = with_cancel(background());
      auto t = spawn(bound, [&] { return error_of(p.read()); });
      auto given = with_cancel(background());
      auto u = spawn([&] { return error_of(p.read(&given.ctx)); });
      auto inherited = with_cancel(background());
      auto v = spawn(inherited, [&] {
        const context own = this_fiber::context();
        return error_of(p.read(&own));
      });
      test::settle();
      bound.cancel();
      given.cancel();
      inherited.cancel();
      e(t.join() == errc::canceled);
      e(u.join() == errc::canceled);
      e(v.join() == errc::canceled);
    }
    auto late = with_timeout(background(), 2ms);
    e(error_of(p.read(&late.ctx)) == errc::deadline_exceeded);
  });
}

TEST_CASE("system call: one that is not restarted reports the cancel, not EINTR" * CUTS_SHORT) {
  in_fiber({1, 2}, [](expect& e) {
    auto late = with_timeout(background(), 2ms);
    std::error_code left = std::make_error_code(std::errc::interrupted);
    while (left == std::errc::interrupted)  // by signals that are not the cancel's
      left = error_of(cancelable_syscall(&late.ctx, SYS_ppoll, nullptr, 0, nullptr, nullptr, 8));
    e(left == errc::deadline_exceeded);
  });
}

TEST_CASE("system call: what has happened is told, also when it is cancelled before it returns") {
  in_fiber({1, 2}, [](expect& e) {
    const pipe_pair p;
    auto scope = with_cancel(background());
    auto t = spawn(scope, [&] { return p.read(); });
    test::settle();
    p.write('a');
    scope.cancel();
    const result<long> got = t.join();
    if (got.has_value())
      e.equal(*got, 1L);
    else
      e.equal(p.read().value_or(-1), 1L);  // it is still there
    e.equal(p.last(), 'a');
  });
}

TEST_CASE("system call: the end of the run cuts one short, bound or not" * CUTS_SHORT) {
  const pipe_pair p;
  std::error_code bound, given;
  runtime_options o = test::on(2);
  o.drain = 200ms;
  run(o, [&] {
    go([&] { bound = error_of(p.read()); });
    go([&] {
      const context other = without_cancel(background());
      given = error_of(p.read(&other));
    });
    test::settle();
  });
  CHECK(bound == errc::canceled);
  CHECK(given == errc::canceled);
}
