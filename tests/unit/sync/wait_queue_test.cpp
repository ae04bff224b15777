// The list in which fibers queue: order, leaving, and waking the first whose wait can still be ended.
#include "runtime/sync/wait_queue.hpp"

#include <array>
#include <cstdint>
#include <vector>

#include "runtime/fiber/fiber_pool.hpp"
#include "tests/support/support.hpp"

using namespace weft::runtime;

namespace {

// One that is about to wait: claimed in that state it is nobody's to make ready, so no scheduler is needed.
struct queued {
  fiber* f = fibers().take();
  wait_node node;
  queued() {
    node.waiter = f;
    node.generation = f->word.prepare(wait_mode::quiet);
  }
  ~queued() { fibers().give(f); }
  bool pending() const { return f->word.pending(node.generation); }
  void end() { REQUIRE(f->word.claim(node.generation, wait_word::k_timeout, true) == claim_result::from_preparing); }
};

struct queue_of_four {
  weft::detail::wait_list list;
  std::array<queued, 4> q;
  queue_of_four() {
    locked_list l(list);
    for (queued& x : q) l.push_back(x.node);
  }
  std::vector<wait_node*> drain() {
    locked_list l(list);
    std::vector<wait_node*> all;
    while (all.size() <= q.size() && !l.empty()) all.push_back(l.pop_front());  // bounded: a broken list may go round
    return all;
  }
};

}  // namespace

TEST_CASE("wait_queue: first in, first out, and a popped node is in no list") {
  queue_of_four w;
  CHECK(w.q[0].node.linked);
  CHECK(w.drain() == std::vector{&w.q[0].node, &w.q[1].node, &w.q[2].node, &w.q[3].node});
  for (const queued& x : w.q) CHECK_FALSE(x.node.linked);
  CHECK(locked_list(w.list).empty());
}

TEST_CASE("wait_queue: a node leaves from anywhere, and leaving again later does no harm") {
  for (std::size_t who = 0; who < 4; ++who) {
    queue_of_four w;
    std::vector<wait_node*> wanted;
    for (std::size_t i = 0; i < 4; ++i)
      if (i != who) wanted.push_back(&w.q[i].node);
    {
      locked_list l(w.list);
      l.remove(w.q[who].node);
      CHECK_FALSE(w.q[who].node.linked);
      CHECK(l.pop_front() == wanted.front());
      l.remove(w.q[who].node);  // its old neighbours have others now
    }
    wanted.erase(wanted.begin());
    CHECK(w.drain() == wanted);
  }
}

TEST_CASE("wait_queue: after all have left, it takes new ones") {
  queue_of_four w;
  w.drain();
  queued late;
  locked_list l(w.list);
  l.push_back(late.node);
  CHECK(l.pop_front() == &late.node);
  CHECK(l.empty());
}

TEST_CASE("wait_queue: wake_first wakes the first in line, with the reason, and only that one") {
  queue_of_four w;
  {
    locked_list l(w.list);
    CHECK(l.wake_first(7));
  }
  CHECK_FALSE(w.q[0].pending());
  CHECK(w.q[0].f->word.why() == 7);
  CHECK_FALSE(w.q[0].node.linked);
  for (std::size_t i = 1; i < 4; ++i) CHECK(w.q[i].pending());
}

TEST_CASE("wait_queue: wake_first passes over waits that have ended, and says when there was none left") {
  queue_of_four w;
  w.q[0].end();
  w.q[2].end();
  locked_list l(w.list);
  CHECK(l.wake_first(1));
  CHECK(w.q[1].f->word.why() == 1);
  CHECK(w.q[3].pending());
  CHECK(l.wake_first(2));
  CHECK(w.q[3].f->word.why() == 2);
  CHECK_FALSE(l.wake_first(3));
  CHECK(l.empty());
  CHECK(w.q[0].f->word.why() == wait_word::k_timeout);
  CHECK(w.q[2].f->word.why() == wait_word::k_timeout);
}

TEST_CASE("wait_queue: wake_all ends every wait that can be ended and empties the list") {
  queue_of_four w;
  w.q[1].end();
  locked_list l(w.list);
  l.wake_all(9);
  CHECK(l.empty());
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK_FALSE(w.q[i].pending());
    CHECK(w.q[i].f->word.why() == (i == 1 ? wait_word::k_timeout : 9u));
  }
}

TEST_CASE("wait_nodes: a channel's queue keeps order, and leaving is for those that are in") {
  wait_nodes queue;
  std::array<wait_node, 3> n;
  CHECK(dequeue(queue) == nullptr);
  for (wait_node& x : n) enqueue(queue, x);
  leave(queue, n[1]);
  CHECK_FALSE(n[1].linked);
  leave(queue, n[1]);
  CHECK(dequeue(queue) == &n[0]);
  CHECK_FALSE(n[0].linked);
  leave(queue, n[0]);
  CHECK(dequeue(queue) == &n[2]);
  CHECK(queue.empty());
}
