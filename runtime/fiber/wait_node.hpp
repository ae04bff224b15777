// One wait of one fiber in one queue.
//
// Who waits in a single queue has it in the control block (fiber::wait): whoever goes through many of them stays in
// blocks, which lie side by side, and touches no stack. A select's, and those of which wakers read more, are on the
// waiter's stack.
//
// The queue's lock guards the links. A waker unlinks the node before it claims; from a won claim until it makes the
// fiber ready the node stays valid. The woken fiber leaves the queues it is still in, through each lock, so no loser
// can be looking at the node when it goes.
#pragma once
#include <cstdint>

#include "runtime/base/hinted.hpp"
#include "runtime/base/list.hpp"

namespace weft::runtime {
struct fiber;
}

namespace weft::detail {

struct wait_node {
  wait_node* next = nullptr;
  wait_node* prev = nullptr;
  runtime::fiber* waiter = nullptr;
  std::uint32_t generation = 0;
  std::uint32_t tag = 0;    // what the waker passes as the reason, with k_closed or'ed in where that applies
  void* payload = nullptr;  // sender: what to move from; receiver: where to construct
  bool linked = false;
};

}  // namespace weft::detail

namespace weft::runtime {

using detail::wait_node;
using wait_nodes = list_of<wait_node, hinted<wait_node*>>;

inline void enqueue(wait_nodes& queue, wait_node& n) noexcept {
  queue.push_back(&n);
  n.linked = true;
}
inline wait_node* dequeue(wait_nodes& queue) noexcept {
  wait_node* n = queue.pop_front();
  if (n != nullptr) n->linked = false;
  return n;
}
inline void leave(wait_nodes& queue, wait_node& n) noexcept {
  if (!n.linked) return;
  queue.remove(&n);
  n.linked = false;
}

}  // namespace weft::runtime
