#include "runtime/event/timers.hpp"

#include <array>
#include <mutex>

namespace weft::runtime {
namespace {

constexpr std::uintptr_t k_record_bit = 1;

fiber* fiber_of(const timer_entry& e) noexcept {
  return (e.target & k_record_bit) == 0 ? reinterpret_cast<fiber*>(e.target) : nullptr;
}
timer_record* record_of(const timer_entry& e) noexcept {
  return reinterpret_cast<timer_record*>(e.target & ~k_record_bit);
}

}  // namespace

type_stable_pool<timer_record>& timer_records() noexcept {
  static constinit type_stable_pool<timer_record> pool;
  return pool;
}

bool timers::stale(const timer_entry& e) noexcept {
  if (const fiber* f = fiber_of(e)) return !f->word.pending(e.generation);
  return !record_of(e)->current(e.generation);
}

void timers::insert(std::int64_t when, fiber* f, std::uint32_t generation) {
  insert({when, reinterpret_cast<std::uintptr_t>(f), generation});
}

void timers::insert(std::int64_t when, timer_record* r, std::uint32_t generation) {
  insert({when, reinterpret_cast<std::uintptr_t>(r) | k_record_bit, generation});
}

void timers::insert(const timer_entry& e) {
  const std::lock_guard hold(lock_);
  if (stale_.load(relaxed) > 64 && stale_.load(relaxed) > heap_.size() / 2) compact();
  heap_.push(e);
  if (heap_.top().when != earliest_.load(relaxed)) earliest_.store(heap_.top().when, seq_cst);
}

void timers::compact() {
  stale_.store(0, relaxed);
  heap_.compact(stale);
}

void timers::take_all(timers& from, unsigned here) {
  const std::scoped_lock hold(from.lock_, lock_);
  for (; !from.heap_.empty(); from.heap_.pop()) {
    const timer_entry& e = from.heap_.top();
    if (stale(e)) continue;
    if (fiber_of(e) == nullptr) record_of(e)->heap.store(here, relaxed);
    heap_.push(e);
  }
  from.stale_.store(0, relaxed);
  from.earliest_.store(k_forever, seq_cst);
  if (!heap_.empty()) earliest_.store(heap_.top().when, seq_cst);
}

void timers::gather(std::int64_t until, int most, timer_crowd& c) noexcept {
  if (earliest() > until) return;
  const std::lock_guard hold(lock_);
  heap_.gather(until, most, c);
}

void timers::run_due(std::int64_t now, fiber_list& ready) {
  struct due {
    timer_record* record;
    std::uint32_t generation;
  };
  std::array<due, 32> firing;
  for (bool more = true; more;) {
    std::size_t n = 0;
    {
      const std::lock_guard hold(lock_);
      while (!heap_.empty() && heap_.top().when <= now && n < firing.size()) {
        const timer_entry e = heap_.top();
        heap_.pop();
        if (fiber* f = fiber_of(e)) {
          const claim_result c = f->word.claim(e.generation, wait_word::k_timeout, true);
          if (c == claim_result::from_armed) ready.push_back(f);
        } else if (record_of(e)->begin_firing(e.generation)) {
          firing[n++] = {record_of(e), e.generation};
        }
      }
      more = n == firing.size();
      earliest_.store(heap_.empty() ? k_forever : heap_.top().when, seq_cst);
    }
    for (std::size_t i = 0; i < n; ++i) firing[i].record->fire(firing[i].generation, now, ready);
  }
}

}  // namespace weft::runtime
