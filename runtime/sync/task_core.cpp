#include "weft/detail/task_core.hpp"

#include <stdexcept>
#include <utility>

#include "runtime/base/spin_until.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sync/channel.hpp"
#include "runtime/sync/own_context.hpp"
#include "runtime/sync/wait_scope.hpp"
#include "weft/task.hpp"

namespace weft::runtime {
namespace {

using detail::task_core;

// The word: these bits, and the address of the fiber that waits.
//
// 1. The fiber takes it once, from then on the word is `ending` or `ended`, and nobody begins a wait. At `ended` it
// touches nothing of the task any more.
// 2. Whoever waits is put in by itself, its generation written before, and taken out by itself when it is cancelled.
// Where the fiber has taken it first, it stays until `ended`: the fiber may still be about to read the generation.
//     the fiber                              who waits
//     takes the word, and so the waiter
//                                            is cancelled; finds itself taken
//                                            … and would begin another wait: another generation, or delete the task
//     reads the generation
constexpr std::uintptr_t k_channel = 1;  // somebody has done()
constexpr std::uintptr_t k_ending = 2;
constexpr std::uintptr_t k_ended = 4;
constexpr std::uintptr_t k_let_go = 8;  // the handle has gone
constexpr std::uintptr_t k_bits = 15;
static_assert(alignof(fiber) > k_bits);

fiber* waiter_of(std::uintptr_t word) noexcept { return reinterpret_cast<fiber*>(word & ~k_bits); }

// The fiber is within a section: it is through soon.
void await_end(const task_core& t) noexcept {
  spin_until([&] { return (t.word.load(acquire) & k_ended) != 0; });
}

// In a section: the whole wait of the current fiber. 0, or k_canceled.
std::uint32_t wait_for_end(task_core& t, section& in, fiber* self, wait_scope& scope) noexcept {
  if ((t.word.load(acquire) & k_ended) != 0) return 0;
  if (!scope.begin(self, t.generation)) return wait_word::k_canceled;
  std::uintptr_t seen = t.word.load(relaxed);
  std::uint32_t why = 0;
  for (;;) {
    if ((seen & (k_ending | k_ended)) != 0) {
      self->word.abandon();  // failing: it was cancelled just now, and the next cancellation point says so
      break;
    }
    if (t.word.compare_exchange_weak(seen, seen | reinterpret_cast<std::uintptr_t>(self), acq_rel, relaxed)) {
      why = park(in, self, wait_reason::join);
      break;
    }
  }
  scope.end();
  if (why == wait_word::k_canceled) {
    seen = t.word.load(relaxed);
    while (waiter_of(seen) != nullptr)
      if (t.word.compare_exchange_weak(seen, seen & k_bits, relaxed, relaxed)) return why;
  }
  await_end(t);
  return why;
}

[[gnu::noinline]] void close_over(task_core& t) noexcept {
  fiber_list woken;
  close_channel(*t.over.core(), woken);
  ready(woken);
}

// The same at once, where nothing is asked of the fiber: in one section. False: nothing has happened.
[[gnu::noinline]] bool wait_straight(task_core& t, std::uint32_t& why) noexcept {
  section in;
  const worker* m = in.here();
  if (m == nullptr || anything_asked(*m)) return false;
  wait_scope scope(nullptr);
  why = wait_for_end(t, in, m->current.load(relaxed), scope);
  return true;
}

}  // namespace
}  // namespace weft::runtime

namespace weft::detail {

using namespace runtime;

bool end_task(task_core& t) noexcept {
  const section in;
  if (t.own.fiber != nullptr) leave_own(static_cast<runtime::fiber*>(t.own.fiber), t.own);
  std::uintptr_t seen = 0;
  if (t.word.compare_exchange_strong(seen, k_ended, acq_rel, relaxed)) return true;
  seen = t.word.exchange(k_ending, acq_rel);
  if ((seen & k_channel) != 0) close_over(t);
  if ((seen & k_let_go) != 0) return false;
  runtime::fiber* const waiter = waiter_of(seen);
  const claim_result claimed =
      waiter == nullptr ? claim_result::lost : waiter->word.claim(t.generation, 0, true);  // lost: it was cancelled
  t.word.store(k_ended, runtime::release);
  if (claimed == claim_result::from_armed) ready(in.here(), waiter);
  return true;
}

bool await_task(task_core& t, const context* ctx) {
  const not_abandoned here;
  std::uint32_t why = 0;
  if (ctx == nullptr && wait_straight(t, why)) {
    if (why == wait_word::k_canceled) throw_canceled(current_fiber());
    return true;
  }
  runtime::fiber* self = current_fiber();
  wait_scope scope(ctx);
  if (scope.canceled(self)) {
    if (ctx == nullptr) throw_canceled(self);
    return false;
  }
  heed_attention();
  {
    section in;
    why = wait_for_end(t, in, self, scope);
  }
  if (why == wait_word::k_canceled && ctx == nullptr) throw_canceled(self);
  return why != wait_word::k_canceled;
}

void outlast_task(task_core& t) noexcept {
  wait_scope scope = wait_scope::quiet();
  runtime::fiber* self = current_fiber();
  section in;
  wait_for_end(t, in, self, scope);
}

const recv_chan<void>& done_of(task_core& t) {
  using state = task_core::done_channel;
  if (t.has_over.load(acquire) == state::made) return t.over;
  chan<void> fresh;
  const section in;
  if (state seen = state::none; t.has_over.compare_exchange_strong(seen, state::begun, relaxed, relaxed)) {
    t.over = std::move(fresh);
    if ((t.word.fetch_or(k_channel, acq_rel) & (k_ending | k_ended)) != 0) t.over.core()->closed = true;
    t.has_over.store(state::made, runtime::release);
  } else {
    spin_until([&] { return t.has_over.load(acquire) == state::made; });
  }
  return t.over;
}

bool let_go_of(task_core& t) noexcept {
  const std::uintptr_t before = t.word.fetch_or(k_let_go, acq_rel);
  if ((before & (k_ending | k_ended)) == 0) return false;
  await_end(t);
  return true;
}

void throw_no_task() {
  throw std::logic_error("weft::task: join or done of an empty task (default, moved-from, joined or detached)");
}

}  // namespace weft::detail
