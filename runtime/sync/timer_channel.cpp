#include "runtime/sync/timer_channel.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "runtime/sched/bubble.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/channel.hpp"
#include "weft/timer.hpp"

namespace weft::runtime {
namespace {

std::int64_t due(timespan d) noexcept { return saturating_add(local_now(), std::max<std::int64_t>(d.ns, 0)); }

// With the channel's lock; the timer is not armed.
void arm(channel_timer& t, std::int64_t when) noexcept {
  t.when = when;
  t.generation = t.record->arm();
  t.pending = true;
  insert_timer(when, t.record, t.generation);
}

void on_channel_timer(void* owner, std::uint32_t generation, std::int64_t now, fiber_list& ready) {
  auto& t = *static_cast<channel_timer*>(owner);
  channel_core& c = *t.channel;
  const std::lock_guard hold(c.lock);
  if (t.generation != generation || !t.pending) return;
  clock::time_point value{clock::duration(now)};
  transfer sent;
  // Where `transferred` says so it is for us to make the fiber ready, and until then its node stays.
  if (begin_send(c, &value, sent) && sent.peer != nullptr && sent.peer->waiter->word.transferred(sent.claim))
    ready.push_back(sent.peer->waiter);
  if (t.period == 0) {
    t.pending = false;
    return;
  }
  // Ticks that nobody could have seen are left out.
  const std::int64_t missed = (now - t.when) / t.period;
  arm(t, saturating_add(t.when, (missed + 1) * t.period));
}

// Disarms; true if that kept a value from being received. With the lock.
bool disarm(channel_core& c) noexcept {
  channel_timer& t = *c.timer;
  const bool was_pending = t.pending;
  t.pending = false;
  if (t.record->stop()) note_stale_timer(t.record->heap.load(relaxed));
  const bool unread = c.sent != c.received;
  c.received = c.sent;
  return was_pending || unread;
}

}  // namespace

void destroy_timer(channel_timer* t) noexcept {
  {
    const section in;
    if (t->record->stop()) note_stale_timer(t->record->heap.load(relaxed));
    t->record->settle();
    // A ticker's firing that has armed the record again is no longer `firing`, but may still hold the lock.
    const std::lock_guard pass(t->channel->lock);
  }
  give_timer_record(t->record);
  t->~channel_timer();
}

}  // namespace weft::runtime

namespace weft::detail {

using namespace runtime;

channel_core* make_timer_channel(timespan first, std::int64_t period) {
  timer_record* const record = take_timer_record();
  channel_core* c = nullptr;
  try {
    c = make_channel_and(element_of<clock::time_point>, 1, sizeof(channel_timer));
  } catch (...) {
    give_timer_record(record);
    throw;
  }
  static_assert(alignof(channel_timer) <= alignof(clock::time_point));
  auto* t = ::new (static_cast<void*>(c->slots + c->room)) channel_timer{record, c, period, 0, 0, false};
  record->set(&on_channel_timer, t);
  c->timer = t;
  const section in;
  const std::lock_guard hold(c->lock);
  arm(*t, due(first));
  return c;
}

bool stop_timer(channel_core* c) noexcept {
  if (c == nullptr || c->timer == nullptr) return false;
  const section in;
  const std::lock_guard hold(c->lock);
  return disarm(*c);
}

bool reset_timer(channel_core* c, timespan first, std::int64_t period) noexcept {
  if (c == nullptr || c->timer == nullptr) return false;
  const section in;
  for (;;) {
    c->timer->record->settle();  // a firing that has lost the race must be over before the record is armed again
    const std::lock_guard hold(c->lock);
    const bool was_pending = disarm(*c);
    if (c->timer->record->firing()) continue;
    c->timer->period = period;
    arm(*c->timer, due(first));
    return was_pending;
  }
}

std::int64_t checked_period(timespan d) {
  if (d.ns <= 0) throw std::logic_error("weft::ticker: the period must be positive");
  return d.ns;
}

}  // namespace weft::detail

namespace weft {

using detail::checked_period;

recv_chan<clock::time_point> after(timespan d) {
  return recv_chan<clock::time_point>::adopt(detail::make_timer_channel(d, 0));
}

timer::timer(timespan d) : recv_chan(after(d)) {}
timer::timer(timer&& o) noexcept
    : recv_chan(std::move(o)),
      function_(std::exchange(o.function_, nullptr)) {}  // NOLINT(bugprone-use-after-move): not its base's
timer& timer::operator=(timer&& o) noexcept {
  if (this == &o) return *this;
  stop();
  release();
  recv_chan::operator=(std::move(o));
  function_ = std::exchange(o.function_, nullptr);  // NOLINT(bugprone-use-after-move): not its base's
  return *this;
}
timer::~timer() {
  stop();
  release();
}
bool timer::stop() const { return function_ != nullptr ? detail::stop_timer(function_) : detail::stop_timer(core()); }
bool timer::reset(timespan d) const {
  return function_ != nullptr ? detail::reset_timer(function_, d) : detail::reset_timer(core(), d, 0);
}
void timer::release() noexcept {
  if (function_ != nullptr) detail::release_timer(std::exchange(function_, nullptr));
  reference_ = {};
}

ticker::ticker(timespan d)
    : recv_chan(recv_chan<clock::time_point>::adopt(detail::make_timer_channel(d, checked_period(d)))) {}
ticker& ticker::operator=(ticker&& o) noexcept {
  if (this == &o) return *this;
  stop();
  recv_chan::operator=(std::move(o));
  return *this;
}
ticker::~ticker() { stop(); }
void ticker::stop() const { detail::stop_timer(core()); }
void ticker::reset(timespan d) const { detail::reset_timer(core(), d, checked_period(d)); }

}  // namespace weft
