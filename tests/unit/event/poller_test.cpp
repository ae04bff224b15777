// The poller: an event wakes those who wait, is counted for those who are about to, and never reaches another
// descriptor.
#include "runtime/event/poller.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "runtime/base/clock.hpp"
#include "runtime/event/poll_note.hpp"
#include "runtime/fiber/fiber_pool.hpp"
#include "tests/support/support.hpp"
#include "tests/unit/lockstep.hpp"

using namespace weft::runtime;

namespace {

// Both ends of a stream, the first of them watched.
struct watched_pair {
  descriptor d;
  int peer = -1;
  watched_pair() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    d.fd = ends[0];
    peer = ends[1];
    fiber_list nobody;
    REQUIRE(the_poller().add(d, nobody) == 0);
    REQUIRE(nobody.empty());
    drain();  // that it can be written to
  }
  ~watched_pair() {
    the_poller().remove(d);
    ::close(d.fd);
    if (peer >= 0) ::close(peer);
  }
  static void drain() {
    fiber_list ready;
    the_poller().poll(ready);
    REQUIRE(ready.empty());
  }
  void write() const { REQUIRE(::write(peer, "x", 1) == 1); }
};

// A wait that the test plays.
struct played_wait {
  fiber* f = fibers().take();
  poll_wait w;
  explicit played_wait(poll_side& side) {
    w.waiter = f;
    w.generation = f->word.prepare(wait_mode::quiet);
    REQUIRE(f->word.commit() == wait_word::commit_result::waits);
    side.enqueue(w);
  }
  ~played_wait() { fibers().give(f); }
};

std::size_t woken() {
  fiber_list ready;
  the_poller().poll(ready);
  std::size_t n = 0;
  while (ready.pop_front() != nullptr) ++n;
  return n;
}

}  // namespace

TEST_CASE("poller: an event wakes all who wait for what it tells, once") {
  watched_pair p;
  const played_wait a(p.d.read), b(p.d.read), other(p.d.write);
  p.write();
  CHECK(woken() == 2 + 1);  // an edge tells all that is so: it can be written to as well
  CHECK(a.f->word.why() == k_descriptor_ready);
  CHECK_FALSE(a.w.linked);
  CHECK(woken() == 0);
}

TEST_CASE("poller: an event is counted, whether it finds nobody or wakes somebody") {
  watched_pair p;
  const std::uint64_t before = p.d.read.events;
  p.write();
  CHECK(woken() == 0);
  CHECK(p.d.read.events == before + 1);
  const played_wait a(p.d.read);
  p.write();
  CHECK(woken() == 1);
  CHECK(p.d.read.events == before + 2);
}

TEST_CASE("poller: an event whose waiter has been claimed by another is counted, too") {
  watched_pair p;
  const played_wait a(p.d.read);
  const std::uint64_t before = p.d.read.events;
  REQUIRE(a.f->word.claim(a.w.generation, wait_word::k_canceled, true) == claim_result::from_armed);
  p.write();
  CHECK(woken() == 0);
  CHECK(p.d.read.events == before + 1);
  CHECK(a.f->word.why() == wait_word::k_canceled);
}

TEST_CASE("poller: the end of the peer, and its error, are told to both directions") {
  watched_pair p;
  const played_wait a(p.d.read), b(p.d.write);
  CHECK_FALSE(p.d.ended);
  ::close(std::exchange(p.peer, -1));
  CHECK(woken() == 2);
  CHECK(p.d.ended);
}

TEST_CASE("poller: an event under way for an earlier descriptor is dropped") {
  watched_pair p;
  p.write();
  // As when the event has been fetched by another thread and the block serves somebody else by the time it is told.
  ++p.d.sequence;
  const played_wait a(p.d.read);
  const std::uint64_t before = p.d.read.events;
  CHECK(woken() == 0);
  CHECK(a.w.linked);
  CHECK(p.d.read.events == before);
  p.d.read.leave(const_cast<poll_wait&>(a.w));
}

TEST_CASE("poller: a removed descriptor tells nothing, and is counted no more") {
  const std::uint32_t before = the_poller().watched();
  watched_pair p;
  CHECK(the_poller().watched() == before + 1);
  the_poller().remove(p.d);
  CHECK(the_poller().watched() == before);
  const played_wait a(p.d.read);
  p.write();
  CHECK(woken() == 0);
  p.d.read.leave(const_cast<poll_wait&>(a.w));
}

TEST_CASE("poller: whoever waits under a number that gets a new owner is told that it is closed") {
  watched_pair p;
  const played_wait a(p.d.read);
  descriptor next;
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  // Closed behind our back, and the number given out again.
  REQUIRE(::dup3(ends[0], p.d.fd, O_CLOEXEC) == p.d.fd);
  next.fd = p.d.fd;
  fiber_list ready;
  CHECK(the_poller().add(next, ready) == 0);
  CHECK(ready.pop_front() == a.f);
  CHECK(a.f->word.why() == k_descriptor_closed);
  the_poller().remove(next);
  ::close(next.fd);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("poller: what is closed on exec and what cannot be watched") {
  descriptor d;
  fiber_list nobody;
  d.fd = ::open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  REQUIRE(d.fd >= 0);
  const std::uint32_t before = the_poller().watched();
  CHECK(the_poller().add(d, nobody) == EPERM);
  CHECK(the_poller().watched() == before);
  ::close(d.fd);
  CHECK(the_poller().add(d, nobody) == EBADF);
  // The poller's own two, whatever their numbers are.
  for (int fd = 3; fd < 64; ++fd) {
    std::array<char, 64> target{};
    if (::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target.data(), target.size() - 1) < 0) continue;
    if (std::string(target.data()).starts_with("anon_inode:[event")) CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("poll_note: sleeps in the poller until its time, and not shorter") {
  const watched_pair p;  // so that there is a poller
  poll_note n;
  fiber_list ready;
  for (const std::int64_t ns : {10'000LL, 1'000'000LL, 20'000'000LL}) {
    const std::int64_t until = now_ns() + ns;
    while (now_ns() < until) CHECK_FALSE(n.wait_in_poller(until, ready));
  }
  n.post();
  CHECK(n.wait_in_poller(k_forever, ready));
}

TEST_CASE("poll_note: no post is lost between two places to sleep, while others poll") {
  const watched_pair p;
  poll_note ping, pong;
  const long turns = test::scale(30'000);
  long wrong = 0;
  std::atomic<bool> over{false};
  std::thread other([&] {
    fiber_list ready;
    for (long i = 0; i < turns; ++i) {
      while (!(i % 3 == 0 ? ping.wait() : ping.wait_in_poller(k_forever, ready))) {
      }
      pong.post();
    }
  });
  std::thread third([&] {
    fiber_list ready;
    while (!over) the_poller().poll(ready);
  });
  for (long i = 0; i < turns; ++i) {
    ping.post();
    if (!pong.wait(now_ns() + 60'000'000'000)) ++wrong;
  }
  over = true;
  other.join();
  third.join();
  CHECK(wrong == 0);
}

TEST_CASE("poller: one that is to be called when it becomes readable is, each time, and when all are woken") {
  static int calls;
  calls = 0;
  descriptor bell;
  bell.fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  bell.on_readable = []() noexcept { ++calls; };
  fiber_list nobody;
  REQUIRE(the_poller().add(bell, nobody) == 0);
  CHECK(woken() == 0);
  CHECK(calls == 0);  // it can be written to: nobody asked
  const std::uint64_t one = 1;
  for (int i = 1; i <= 3; ++i) {
    CHECK(::write(bell.fd, &one, sizeof one) == sizeof one);  // nobody reads it
    CHECK(woken() == 0);
    CHECK(calls == i);
    CHECK(woken() == 0);
    CHECK(calls == i);
  }
  the_poller().wake_all(nobody);
  CHECK(calls == 4);
  the_poller().remove(bell);
  ::close(bell.fd);
}
