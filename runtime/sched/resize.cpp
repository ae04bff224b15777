#include "runtime/sched/resize.hpp"

#include <memory>
#include <mutex>
#include <vector>

#include "runtime/sched/blocked.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/preempt.hpp"

namespace weft::runtime {
namespace {

// Gives the number that remains to go.
std::uint32_t surplus_locked(const scheduler& s) noexcept {
  const std::uint32_t staying = s.active.load(relaxed) - s.retiring;
  const std::uint32_t wanted = s.wanted.load(relaxed);
  return staying > wanted ? staying - wanted : 0;
}

// Under the lock: the last one has gone. Whoever waits for that is pushed before `active` says so.
void wake_resizer_locked(scheduler& s) noexcept {
  fiber* f = std::exchange(s.resizer, nullptr);
  if (f != nullptr && f->word.claim(s.resizer_generation, 0, true) == claim_result::from_armed) s.global.push_back(f);
}

// Takes those out that are to go. Linked by next_idle.
processor* take_idle_surplus_locked(scheduler& s) noexcept {
  processor* taken = nullptr;
  for (processor** link = &s.idle_processors; *link != nullptr && surplus_locked(s) != 0;) {
    processor* p = *link;
    if (!begin_retirement_locked(*p)) {
      link = &p->next_idle;
      continue;
    }
    *link = p->next_idle;
    s.idle_count.fetch_sub(1, seq_cst);
    p->next_idle = taken;
    taken = p;
  }
  return taken;
}

void grow_locked(scheduler& s, std::vector<std::unique_ptr<processor>>& fresh) noexcept {
  for (auto& made : fresh) {
    processor* p = s.processors.add(std::move(made));
    p->next_idle = s.resting_processors;
    s.resting_processors = p;
  }
  const std::uint32_t wanted = s.wanted.load(relaxed);
  while (s.active.load(relaxed) < wanted) {
    processor* p = s.resting_processors;
    s.resting_processors = p->next_idle;
    p->next_idle = s.idle_processors;
    s.idle_processors = p;
    s.active.fetch_add(1, seq_cst);
    s.idle_count.fetch_add(1, seq_cst);
  }
}

}  // namespace

bool begin_retirement_locked(const processor& p) noexcept {
  scheduler& s = sched();
  if (p.index == 0 || surplus_locked(s) == 0) return false;
  ++s.retiring;
  return true;
}

void finish_retirement(processor* p) noexcept {
  scheduler& s = sched();
  end_turn(p);
  p->owner.store(nullptr, release);
  p->wake_owed.store(false, relaxed);
  global_queue left;
  if (fiber* f = p->runnext.exchange(nullptr, acq_rel)) left.push_back(f);
  while (fiber* f = p->ring.pop()) left.push_back(f);
  if (p->timers.earliest() != k_forever) {
    processor* heir = s.processors.front();
    heir->timers.take_all(p->timers, heir->index);
    timer_inserted(heir, heir->timers.earliest());
  }
  {
    const std::lock_guard hold(s.lock);
    s.global.append(left);
    const std::uint32_t active = s.active.load(relaxed) - 1;
    if (active == s.wanted.load(relaxed)) wake_resizer_locked(s);
    s.global_size.store(static_cast<std::uint32_t>(s.global.size()), seq_cst);
    p->next_idle = s.resting_processors;
    s.resting_processors = p;
    --s.retiring;
    if (active == 1) s.alone.store(true, release);  // with the thieves' last touches of the other ring before it
    s.active.store(active, seq_cst);
  }
  full_fence();  // (S)
  wake_or_preempt();
}

void ask_surplus() noexcept {
  constexpr std::uint32_t k_asked = processor::k_give_way | processor::k_watched | processor::k_disturbed;
  for (processor* p : sched().processors) {
    if (p->owner.load(acquire) == nullptr || !is_surplus(*p)) continue;
    if ((p->attention.fetch_or(k_asked, relaxed) & processor::k_disturbed) == 0) preempt(p);
  }
}

void resize(unsigned n) {
  scheduler& s = sched();
  std::vector<std::unique_ptr<processor>> fresh;  // made and freed outside the section
  for (auto i = static_cast<unsigned>(s.processors.size()); i < n; ++i)
    fresh.push_back(std::make_unique<processor>(i, s.config.stack_size));
  fiber* const self = current_fiber();
  section in;
  require_processor(in, self);
  processor* gone = nullptr;
  bool grows = false;
  {
    const std::lock_guard hold(s.lock);
    s.wanted.store(n, relaxed);
    grows = n > s.active.load(relaxed);
    if (grows) {
      s.alone.store(false, relaxed);  // whoever pops this ring next gets it from us
      grow_locked(s, fresh);
    } else {
      gone = take_idle_surplus_locked(s);
    }
  }
  if (grows) {
    full_fence();  // (S): there may be work for them already
    return wake_one();
  }
  while (gone != nullptr) {
    processor* p = std::exchange(gone, gone->next_idle);
    finish_retirement(p);
  }
  {
    const std::lock_guard hold(s.lock);
    if (s.active.load(relaxed) == n) return;
    s.resizer_generation = begin_wait(self, wait_mode::quiet).generation;
    s.resizer = self;
  }
  ask_surplus();
  s.monitor_wake.post();
  park(in, self, wait_reason::processors);
}

}  // namespace weft::runtime
