#include "runtime/sched/interrupts.hpp"

#include <algorithm>
#include <atomic>

#include "runtime/event/preempt_signal.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"

namespace weft::runtime {
namespace {

using detail::interrupt_record;

constexpr std::int64_t k_first_repeat_ns = 30'000;
constexpr std::int64_t k_longest_repeat_ns = 1'000'000;

atomic<bool> asked{false};

// The monitor's own.
struct {
  bool active = false;
  std::int64_t next = 0;
  std::int64_t interval = 0;
} constinit repeating;

// Signals whoever runs and is to be cut short; false: nobody is.
bool signal_all() noexcept {
  bool any = false;
  for (worker* m = sched().all_workers.load(acquire); m != nullptr; m = m->next_all) {
    const fiber* f = m->current.load(acquire);
    if (f == nullptr) continue;
    const atomic<std::uint32_t>* flag = f->heeded.load(acquire);  // in the fiber's block, which stays
    if (flag == nullptr || flag->load(acquire) == 0) continue;
    any = true;
    m->signalled.store(false, relaxed);  // one sent before may have been lost: preempt_signal.hpp
    send_preempt_signal(view_of(m));
  }
  return any;
}

}  // namespace

bool open_interrupts(fiber* self, interrupt_record& r, detail::interrupt_kind kind,
                     const atomic<std::uint32_t>* flag) noexcept {
  const section in;
  worker* const here = in.here();
  const __cxa_eh_globals_view* exceptions = view_of(here).exceptions;
  r.outer = self->interrupts;
  r.heeded_before = self->heeded.load(relaxed);
  r.kind = kind;
  r.caught = exceptions->caught;
  r.uncaught = exceptions->uncaught;
  r.bound = self->bound;
  r.frame = 0;
  // First what is heeded no more, then what is done: the handler must not take one for the other.
  self->heeded.store(nullptr, relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  self->interrupts = &r;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  self->heeds = flag != nullptr;
  if (flag == nullptr) return false;
  self->heeds_on.store(here, relaxed);  // published with heeded
  self->heeded.store(flag, seq_cst);    // Dekker with interrupt_fiber
  return flag->load(seq_cst) != 0;
}

void close_interrupts(fiber* self, const interrupt_record& r) noexcept {
  const section in;
  const auto* before = static_cast<const atomic<std::uint32_t>*>(r.heeded_before);
  self->heeded.store(nullptr, relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  self->interrupts = r.outer;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  self->heeds = before != nullptr;
  if (before == nullptr) return;
  self->heeds_on.store(in.here(), relaxed);  // it may have moved while it heeded nothing
  self->heeded.store(before, seq_cst);       // Dekker with interrupt_fiber, once more
  if (before->load(seq_cst) != 0) ask_for_interrupts();
}

void ask_for_interrupts() noexcept {
  if (WEFT_TSAN) return;  // nothing is sent there
  asked.store(true, seq_cst);
  sched().monitor_wake.post();
}

void interrupt_fiber(fiber* f) noexcept {
  const atomic<std::uint32_t>* const flag = f->heeded.load(seq_cst);  // Dekker with open_interrupts
  if (flag == nullptr || flag->load(seq_cst) == 0) return;
  worker* const m = f->heeds_on.load(seq_cst);
  if (m->current.load(relaxed) == f) send_preempt_signal(view_of(m));  // else it is in no turn, or in another's
  ask_for_interrupts();
}

void follow_interrupts_slow(worker* m, fiber* f) noexcept {
  const atomic<std::uint32_t>* const flag = f->heeded.load(relaxed);
  f->heeds_on.store(m, seq_cst);  // Dekker with interrupt_fiber
  if (flag != nullptr && flag->load(seq_cst) != 0) ask_for_interrupts();
}

std::int64_t repeat_interrupts(std::int64_t now) noexcept {
  if (asked.load(relaxed) && asked.exchange(false, seq_cst)) {
    repeating = {true, std::min(repeating.active ? repeating.next : INT64_MAX, now + k_first_repeat_ns),
                 k_first_repeat_ns};
  }
  if (!repeating.active) return k_forever;
  if (now < repeating.next) return repeating.next;
  repeating.active = signal_all();
  if (!repeating.active) return k_forever;
  repeating.next = now + repeating.interval;
  repeating.interval = std::min(repeating.interval * 2, k_longest_repeat_ns);
  return repeating.next;
}

}  // namespace weft::runtime
