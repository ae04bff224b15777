#include "runtime/event/descriptor.hpp"

namespace weft::runtime {

void poll_side::enqueue(poll_wait& w) noexcept {
  waiters.push_back(&w);
  w.linked = true;
}

void poll_side::leave(poll_wait& w) noexcept {
  if (!w.linked) return;
  waiters.remove(&w);
  w.linked = false;
}

bool poll_side::wake(std::uint32_t why, fiber_list& into) noexcept {
  bool woken = false;
  while (poll_wait* w = waiters.front()) {
    leave(*w);
    fiber* const f = w->waiter;
    const claim_result c = f->word.claim(w->generation, why, true);
    if (c == claim_result::from_armed) into.push_back(f);
    woken |= c != claim_result::lost;
  }
  return woken;
}

}  // namespace weft::runtime
