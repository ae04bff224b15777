// Sender, timer and cancel go for the same waiter: whoever wins, nothing is lost, doubled, or consumed by a wait that
// reports cancellation.
#include "tests/storms/storms.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;
namespace storm = test::storm;

namespace {

void race(storm::wait_by how, long waits) {
  test::for_processors({1, 2, 4, 8}, [&](unsigned processors) {
    expect e;
    run(test::on(processors), [&] {
      const auto sum = storm::race_waits(e, how, 2 * static_cast<long>(processors), waits, processors);
      if (waits >= 100'000 &&
          !WEFT_CHAOS) {  // they did race. (Chaos may keep one of the three from it, by preempting it often)
        e.equal(sum.received > 0, true);
        e.equal(sum.cancelled > 0, true);
        e.equal(sum.timed_out > 0, true);
      }
    });
    e.report();
  });
}

}  // namespace

TEST_CASE("race: sender, timer and cancel at a receive") { race(storm::wait_by::receive, test::scale(1'500'000)); }

TEST_CASE("race: sender, timer and cancel at a select") { race(storm::wait_by::select, test::scale(1'000'000)); }

TEST_CASE("race: sender and deadline against bound waits that throw") {
  race(storm::wait_by::bound_receive, test::scale(100'000));
}

TEST_CASE("race: cancel comes from foreign threads") {
  in_fiber({1, 2, 4}, [](expect& e) { storm::race_foreign_cancels(e, test::scale(100'000), 1); });
}

TEST_CASE("race: a mutex whose waiters are cancelled is never lost and never held twice") {
  in_fiber({1, 2, 4, 8}, [](expect& e) { storm::mutex_deadlines(e, test::scale(100'000), 0); });
}
