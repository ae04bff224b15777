#include "runtime/io/socket.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <new>
#include <system_error>

#include "runtime/base/clock.hpp"
#include "runtime/io/calls.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/polling.hpp"
#include "runtime/sched/section.hpp"

namespace weft::runtime {
namespace {

constexpr std::uint64_t k_closing = std::uint64_t{1} << 31, k_count = k_closing - 1;
constexpr int k_sequence_shift = 32;
constexpr std::int64_t k_alone_ns = 10'000'000;  // how often a thread looks by itself where no runtime runs

std::uint64_t unused(std::uint32_t sequence) noexcept { return std::uint64_t{sequence} << k_sequence_shift; }
bool open(std::uint64_t use, std::uint32_t sequence) noexcept {
  return use >> k_sequence_shift == sequence && (use & k_closing) == 0;
}

type_stable_pool<socket_record>& records() noexcept {
  static constinit type_stable_pool<socket_record> pool;
  return pool;
}

void give_back(socket_record* s) noexcept {
  {
    const section in;
    const std::lock_guard hold(s->lock);
    ++s->sequence;  // an event under way is for nobody
    s->fd = -1;
  }
  s->use.store(unused(s->sequence), release);
  const section in;
  records().give(s);
}

// After the last use of a closing one.
void finish_close(socket_record* s) noexcept {
  const int fd = s->fd;
  {
    const section in;
    the_poller().remove(*s);
  }
  calls::close(fd);
  give_back(s);
}

void end_use(socket_record* s) noexcept {
  const std::uint64_t left = s->use.fetch_sub(1, acq_rel) - 1;
  if ((left & k_closing) != 0 && (left & k_count) == 0) finish_close(s);
}

void end_waits(socket_record& s) noexcept {
  const section in;
  fiber_list woken;
  {
    const std::lock_guard hold(s.lock);
    s.read.wake(k_descriptor_closed, woken);
    s.write.wake(k_descriptor_closed, woken);
  }
  ready(woken);
}

// Where no runtime runs a foreign thread asks the poller itself, now and then.
void look_alone() noexcept {
  fiber_list woken;
  the_poller().poll(woken);
  ready(woken);
}

std::uint32_t park_until(section& in, const poll_wait& w, wait_reason reason, std::int64_t until) noexcept {
  fiber* const self = w.waiter;
  if (until == k_forever) return park(in, self, reason);
  const unsigned home = insert_timer(until, self, w.generation);
  const std::uint32_t why = park(in, self, reason);
  if (why != wait_word::k_timeout) note_stale_timer(home);
  return why;
}

// A record for it; null: no memory.
socket_record* record_for(int fd, descriptor_kind kind, bool tells_drained) noexcept {
  socket_record* s = nullptr;
  try {
    const section in;
    s = records().take();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  const section in;
  const std::lock_guard hold(s->lock);
  s->fd = fd;
  s->kind = kind;
  s->read_deadline.store(k_forever, relaxed);
  s->write_deadline.store(k_forever, relaxed);
  s->ended.store(false, relaxed);
  s->drained_at.store(0, relaxed);
  s->tells_drained = tells_drained;
  return s;
}

result<socket_handle> watch(int fd, descriptor_kind kind, bool tells_drained) noexcept {
  socket_record* const s = record_for(fd, kind, tells_drained);
  if (s == nullptr) return std::unexpected(std::error_code(ENOMEM, std::system_category()));
  const socket_handle h{s, s->sequence};
  if (kind == descriptor_kind::file) return h;
  if (const int error = watch_descriptor(*s)) {
    give_back(s);
    return std::unexpected(std::error_code(error, std::system_category()));
  }
  return h;
}

}  // namespace

result<socket_handle> open_socket(int fd, bool tells_drained) noexcept {
  const result<socket_handle> h = watch_socket(fd, tells_drained);
  if (!h) calls::close(fd);
  return h;
}
result<socket_handle> open_descriptor(int fd, descriptor_kind kind) noexcept { return watch(fd, kind, false); }
result<socket_handle> watch_socket(int fd, bool tells_drained) noexcept {
  return watch(fd, descriptor_kind::socket, tells_drained);
}

void unwatch_socket(socket_handle h) noexcept {
  {
    const section in;
    the_poller().remove(*h.record);
  }
  give_back(h.record);
}

bool close_socket(socket_handle h, const char* path) noexcept {
  socket_record* const s = h.record;
  if (s == nullptr) return false;
  std::uint64_t seen = s->use.load(acquire);
  do {
    if (!open(seen, h.sequence)) return false;
    // The closer is a user too, so that the record is not given back under it.
  } while (!s->use.compare_exchange_weak(seen, (seen + 1) | k_closing, seq_cst, acquire));
  // Whoever looks under the lock from here on sees that it is closing; who looked before is in the lists.
  end_waits(*s);
  if (path != nullptr) ::unlink(path);
  end_use(s);
  return true;
}

bool set_deadline(socket_handle h, direction d, std::int64_t when) noexcept {
  const socket_use use(h);
  if (!use) return false;
  socket_record& s = *h.record;
  const section in;
  fiber_list woken;
  {
    const std::lock_guard hold(s.lock);
    s.deadline(d).store(when, relaxed);
    s.side(d).wake(k_look_again, woken);
  }
  ready(woken);
  return true;
}

socket_use::socket_use(socket_handle h) noexcept : record_(h.record) {
  if (record_ == nullptr) return;
  std::uint64_t seen = record_->use.load(relaxed);
  do {
    if (!open(seen, h.sequence)) {
      record_ = nullptr;
      return;
    }
  } while (!record_->use.compare_exchange_weak(seen, seen + 1, acquire, relaxed));
}

socket_use::~socket_use() {
  if (record_ != nullptr) end_use(record_);
}

wait_end await_socket(socket_handle h, direction d, std::uint64_t seen, wait_scope& scope, fiber* self,
                      wait_reason reason, std::int64_t until) noexcept {
  socket_record& s = *h.record;
  poll_wait w;
  w.waiter = self;
  section in;
  bool alone = false;
  {
    const std::lock_guard hold(s.lock);
    if (!open(s.use.load(seq_cst), h.sequence)) return wait_end::closed;
    poll_side& side = s.side(d);
    if (side.events.load(relaxed) != seen) return wait_end::look_again;
    until = std::min(until, s.deadline(d).load(relaxed));
    if (until != k_forever && until <= now_ns()) return wait_end::timed_out;
    if (!scope.begin(self, w.generation)) return wait_end::canceled;
    side.enqueue(w);
    // The end of a run wakes all after it is no longer running; under the lock one of the two sees the other.
    alone = self->is_foreign() && !sched().running();
  }
  const std::int64_t wake_at = alone ? std::min(until, saturating_add(now_ns(), k_alone_ns)) : until;
  const std::uint32_t why = self->is_foreign() ? park_foreign_until(self, wake_at) : park_until(in, w, reason, wake_at);
  scope.end();
  if (why == k_descriptor_closed) return wait_end::closed;
  if (why != wait_word::k_canceled && why != wait_word::k_timeout) return wait_end::look_again;
  {
    const std::lock_guard hold(s.lock);
    s.side(d).leave(w);
  }
  if (why == wait_word::k_canceled) return wait_end::canceled;
  if (wake_at == until) return wait_end::timed_out;
  look_alone();
  return wait_end::look_again;
}

}  // namespace weft::runtime
