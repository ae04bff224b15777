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

void poll_side::wake(std::uint32_t why, fiber_list& into) noexcept {
  while (poll_wait* w = waiters.front()) {
    leave(*w);
    fiber* const f = w->waiter;
    if (f->word.claim(w->generation, why, true) == claim_result::from_armed) into.push_back(f);
  }
}

void poll_side::tell(fiber_list& into) noexcept {
  events.fetch_add(1, release);  // pairs with whoever has seen the count: what the event's teller wrote is seen, too
  wake(k_descriptor_ready, into);
}

}  // namespace weft::runtime
