#include "runtime/sync/wait_queue.hpp"

#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"

namespace weft::runtime {

void locked_list::lock() noexcept {
  if (list_.locked.exchange(true, acquire)) [[unlikely]]
    wait_and_lock(list_.locked, k_first_pauses);
  locked_ = true;
}

void locked_list::unlock() noexcept {
  locked_ = false;
  list_.locked.store(false, release);
}

void locked_list::push_back(wait_node& n) noexcept {
  n.next = nullptr;
  n.prev = list_.tail;
  (list_.tail == nullptr ? list_.head : list_.tail->next) = &n;
  list_.tail = &n;
  n.linked = true;
}

void locked_list::remove(wait_node& n) noexcept {
  if (!n.linked) return;
  (n.prev == nullptr ? list_.head : n.prev->next) = n.next;
  (n.next == nullptr ? list_.tail : n.next->prev) = n.prev;
  n.linked = false;
}

wait_node* locked_list::pop_front() noexcept {
  wait_node* n = list_.head;
  if (n != nullptr) remove(*n);
  return n;
}

bool locked_list::wake_first(std::uint32_t why) noexcept {
  while (wait_node* n = pop_front())
    if (wake(mark_.here(), n->waiter, n->generation, why)) return true;
  return false;
}

claimed_waiter locked_list::claim_first(std::uint32_t why) noexcept {
  while (wait_node* n = pop_front()) {
    fiber* const f = n->waiter;
    if (const claim_result c = claim(f, n->generation, why); c != claim_result::lost) return {f, c};
  }
  return {};
}

void locked_list::wake_all(std::uint32_t why) noexcept {
  fiber_list woken;
  while (wait_node* n = pop_front()) wake(n->waiter, n->generation, why, woken);
  ready(woken);
}

std::uint32_t locked_list::wait(fiber* self, wait_scope& scope, wait_reason reason) noexcept {
  return wait(self, scope, reason, self->wait);
}

std::uint32_t locked_list::wait(fiber* self, wait_scope& scope, wait_reason reason, wait_node& n) noexcept {
  n.waiter = self;
  if (!scope.begin(self, n.generation)) {
    unlock();
    return wait_word::k_canceled;
  }
  push_back(n);
  unlock();
  const std::uint32_t why = park(mark_, self, reason);
  scope.end();
  if (why == wait_word::k_canceled) {
    lock();
    remove(n);
    unlock();
  }
  return why;
}

}  // namespace weft::runtime
