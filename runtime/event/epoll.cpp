// The poller on epoll, edge-triggered.
//
// An event carries 64 bits: the descriptor's address, whose low 6 bits are zero and whose upper 16 are, and in their
// place 22 bits of its sequence. Events of one call are all handled before that thread does anything else, so a number
// that comes round after four million reuses of one block meets none of its namesakes.
//
// The interrupt is an eventfd among the watched, level-triggered and left alone by poll: a poll that sees it takes
// nothing from the sleeper. The sleeper empties it, and then looks whether its note was posted (poll_note.hpp); a write
// that comes late costs the next sleeper one round.
//
// Rejected: EPOLLONESHOT or level-triggered descriptors, which need a system call per wait; io_uring's poll, which many
// containers forbid.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>

#include "runtime/base/clock.hpp"
#include "runtime/base/fatal.hpp"
#include "runtime/base/no_destroy.hpp"
#include "runtime/event/poller.hpp"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

namespace weft::runtime {
namespace {

constexpr std::uint32_t k_edges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr int k_sequence_bits = 22;
constexpr std::uint64_t k_sequence_mask = (std::uint64_t{1} << k_sequence_bits) - 1;
static_assert(alignof(descriptor) << 16 > k_sequence_mask, "the low bits of an address make room for the sequence");
constexpr std::uint64_t k_interrupt = 0;
using events = std::array<epoll_event, 128>;

std::uint64_t pack(const descriptor& d) noexcept {
  return reinterpret_cast<std::uint64_t>(&d) << 16 | (d.sequence & k_sequence_mask);
}
descriptor* unpack(std::uint64_t data) noexcept {
  return reinterpret_cast<descriptor*>((data & ~k_sequence_mask) >> 16);
}

void tell(descriptor& d, std::uint64_t data, std::uint32_t what, fiber_list& ready) noexcept {
  if (d.on_readable != nullptr) {
    if ((what & EPOLLIN) != 0) d.on_readable();
    return;
  }
  const std::lock_guard hold(d.lock);
  if ((d.sequence & k_sequence_mask) != (data & k_sequence_mask)) return;  // meant for the descriptor before
  if ((what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) d.ended.store(true, relaxed);
  if ((what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) d.read.tell(ready);  // after `ended`
  if ((what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) d.write.tell(ready);
}

// True if the interrupt was among them.
bool tell_all(const events& what, int count, fiber_list& ready) noexcept {
  bool interrupted = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& e = what[static_cast<std::size_t>(i)];
    if (e.data.u64 == k_interrupt)
      interrupted = true;
    else
      tell(*unpack(e.data.u64), e.data.u64, e.events, ready);
  }
  return interrupted;
}

// epoll_wait counts in milliseconds; where the kernel has no epoll_pwait2, ppoll on the epoll descriptor sleeps. EPERM:
// a container's filter that knows the call no more than an old kernel does.
int wait_for_events(int epoll, events& what, std::int64_t until) noexcept {
  static constinit atomic<bool> exact{true};
  if (until == k_forever) return ::epoll_wait(epoll, what.data(), static_cast<int>(what.size()), -1);
  const timespec left = to_timespec(std::max<std::int64_t>(until - now_ns(), 0));
  if (exact.load(relaxed)) {
    const long n = ::syscall(SYS_epoll_pwait2, epoll, what.data(), what.size(), &left, nullptr, 0);
    if (n >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(n);
    exact.store(false, relaxed);
  }
  pollfd whole{epoll, POLLIN, 0};
  ::ppoll(&whole, 1, &left, nullptr);
  return ::epoll_wait(epoll, what.data(), static_cast<int>(what.size()), 0);
}

}  // namespace

poller& the_poller() noexcept {
  static constinit no_destroy<poller> one;
  return one.value;
}

int poller::open_locked() noexcept {
  if (epoll_.load(relaxed) >= 0) return 0;
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return errno;
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event interrupt{};
  interrupt.events = EPOLLIN;
  interrupt.data.u64 = k_interrupt;
  if (event < 0 || ::epoll_ctl(epoll, EPOLL_CTL_ADD, event, &interrupt) != 0) {
    const int error = errno;
    if (event >= 0) ::close(event);
    ::close(epoll);
    return error;
  }
  event_.store(event, relaxed);
  epoll_.store(epoll, release);
  return 0;
}

[[gnu::section("weft_same_thread")]] int poller::add(descriptor& d, fiber_list& woken) noexcept {
  const std::lock_guard hold(table_lock_);
  if (const int error = open_locked()) return error;
  const auto at = static_cast<std::size_t>(d.fd);
  while (table_.size() <= at)
    if (!table_.try_push_back(nullptr)) return ENOMEM;
  if (descriptor* stale = table_[at]) {
    const std::lock_guard hold_stale(stale->lock);
    stale->read.wake(k_descriptor_closed, woken);
    stale->write.wake(k_descriptor_closed, woken);
    stale->fd = -1;
    watched_.fetch_sub(1, relaxed);
  }
  table_[at] = &d;
  // Before the first event can come. Partners: begin_watch in sched/polling.cpp, see_added.
  watched_.fetch_add(1, seq_cst);
  epoll_event edges{};
  edges.events = k_edges;
  edges.data.u64 = pack(d);
  if (::epoll_ctl(epoll_.load(relaxed), EPOLL_CTL_ADD, d.fd, &edges) == 0) return 0;
  const int error = errno;
  table_[at] = nullptr;
  watched_.fetch_sub(1, relaxed);
  return error;
}

[[gnu::section("weft_same_thread")]] void poller::remove(descriptor& d) noexcept {
  const std::lock_guard hold(table_lock_);
  if (at_locked(d.fd) != &d) return;  // somebody else has the number by now
  epoll_event unused{};
  ::epoll_ctl(epoll_.load(relaxed), EPOLL_CTL_DEL, d.fd, &unused);
  table_[static_cast<std::size_t>(d.fd)] = nullptr;
  watched_.fetch_sub(1, relaxed);
}

[[gnu::section("weft_same_thread")]] int poller::rearm(descriptor& d) noexcept {
  const std::lock_guard hold(table_lock_);
  if (at_locked(d.fd) != &d) return EBADF;
  epoll_event edges{};
  edges.events = k_edges;
  edges.data.u64 = pack(d);
  const int epoll = epoll_.load(relaxed);
  if (::epoll_ctl(epoll, EPOLL_CTL_MOD, d.fd, &edges) == 0) return 0;
  // Closed behind our back, and opened again.
  return errno == ENOENT && ::epoll_ctl(epoll, EPOLL_CTL_ADD, d.fd, &edges) == 0 ? 0 : errno;
}

// An event names a descriptor, and what the kernel says orders nothing in C++: who looks has to see it constructed.
void poller::see_added() const noexcept {
  static_cast<void>(watched_.load(acquire));  // pairs with add
}

void poller::poll(fiber_list& ready) noexcept {
  const int epoll = epoll_.load(acquire);
  if (epoll < 0) return;
  events what;
  const int n = ::epoll_wait(epoll, what.data(), static_cast<int>(what.size()), 0);
  see_added();
  tell_all(what, n, ready);
}

void poller::sleep(std::int64_t until, fiber_list& ready) noexcept {
  events what;
  const int n = wait_for_events(epoll_.load(acquire), what, until);
  see_added();
  if (!tell_all(what, n, ready)) return;
  std::uint64_t count = 0;
  while (::read(event_.load(relaxed), &count, sizeof count) < 0 && errno == EINTR) {
  }
}

[[gnu::section("weft_same_thread")]] void poller::interrupt() noexcept {
  const int saved = errno;
  const std::uint64_t one = 1;
  while (::write(event_.load(relaxed), &one, sizeof one) < 0 && errno == EINTR) {
  }
  errno = saved;
}

template <class Visit>
void poller::visit_all(Visit v) noexcept {
  const std::lock_guard hold(table_lock_);
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (table_[i] == nullptr) continue;
    const std::lock_guard hold_one(table_[i]->lock);
    v(*table_[i]);
  }
}

bool poller::anyone_waits() noexcept {
  bool found = false;
  visit_all([&](const descriptor& d) { found |= !d.read.waiters.empty() || !d.write.waiters.empty(); });
  return found;
}

void poller::wake_all(fiber_list& ready) noexcept {
  visit_all([&](descriptor& d) {
    if (d.on_readable != nullptr) d.on_readable();
    d.read.wake(k_look_again, ready);
    d.write.wake(k_look_again, ready);
  });
}

}  // namespace weft::runtime
