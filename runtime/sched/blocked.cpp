#include "runtime/sched/blocked.hpp"

#include <mutex>

#include "runtime/base/clock.hpp"
#include "runtime/sched/interrupts.hpp"
#include "runtime/sched/monitor.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/resize.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sched/switch.hpp"
#include "weft/blocking.hpp"

namespace weft::runtime {
namespace {

constexpr std::int64_t k_grace_ns = 20'000;           // when somebody waits for the processor
constexpr std::int64_t k_idle_grace_ns = 10'000'000;  // when nobody does: so that the runtime can fall asleep

// Another processor for a worker whose own was taken; without one the fiber waits in the global queue and the worker
// lies down.
worker* regain(worker* m, fiber* self) noexcept {
  if (processor* p = acquire_idle_processor()) {
    take_up(m, p);
    monitor_needed();
    return m;
  }
  m->predecessor = self;
  m->action = leave_action::global;
  m->current.store(nullptr, relaxed);
  m = switch_execution(m, *self, m->base);
  complete_switch(m);
  return m;
}

// In the section; gives the worker that the fiber is on afterwards.
worker* resume(worker* m, fiber* self) noexcept {
  if (processor* p = m->lent.exchange(nullptr, acq_rel)) {
    m->p = p;
    return m;
  }
  m->detached.store(false, relaxed);
  m = regain(m, self);
  // Only now: in between the fiber is in no queue and on no processor, and all would look asleep.
  sched().blocked_workers.fetch_sub(1, acq_rel);
  return m;
}

}  // namespace

bool enter_blocking() noexcept {
  const section in;
  worker* m = in.here();
  if (m == nullptr || m->p == nullptr) return false;  // a foreign thread, or nested
  m->lent.store(m->p.take(), release);                // pairs with the monitor's CAS: it may hand the processor on
  return true;
}

void leave_blocking() noexcept {
  section in;
  worker* m = in.here();
  if (m == nullptr || m->p != nullptr)
    return;  // a foreign thread, or the fiber parked in there and has a processor again
  in.moved_to(resume(m, m->current.load(relaxed)));
}

worker* regain_processor(worker* m, fiber* self) noexcept { return resume(m, self); }

bool retake_blocked(std::int64_t now) noexcept {
  scheduler& s = sched();
  bool took = false;
  for (processor* const p : s.processors) {
    worker* m = p->owner.load(acquire);
    if (m == nullptr || m->lent.load(relaxed) != p || p->tick.load(relaxed) != p->seen_tick) continue;
    const bool work = !p->ring.empty() || p->runnext.load(relaxed) != nullptr || s.global_size.load(relaxed) != 0 ||
                      p->timers.earliest() <= now || is_surplus(*p);
    if (now - p->seen_since < (work ? k_grace_ns : k_idle_grace_ns)) continue;
    processor* expected = p;  // by now m may lend another one
    s.blocked_workers.fetch_add(1, acq_rel);
    if (!m->lent.compare_exchange_strong(expected, nullptr, acq_rel, relaxed)) {
      s.blocked_workers.fetch_sub(1, acq_rel);
      continue;
    }
    hand_off(p);
    took = true;
  }
  return took;
}

}  // namespace weft::runtime

namespace weft::detail {

using namespace runtime;

blocking_scope::blocking_scope() noexcept : entered_(enter_blocking()), self_(nullptr) {
  fiber* self = running_fiber();
  if (self == nullptr) return;
  self_ = self;
  const atomic<std::uint32_t>* flag = shielded(self) ? nullptr : &self->cancel;
  if (open_interrupts(self, interrupt_, interrupt_kind::end_calls, flag)) ask_for_interrupts();
}

blocking_scope::~blocking_scope() {
  if (self_ != nullptr) close_interrupts(static_cast<fiber*>(self_), interrupt_);
  if (entered_) leave_blocking();
}

}  // namespace weft::detail
