// What contexts leave behind under a parent that lives on: nothing, in whatever order and on whatever processor they
// go.
#include "runtime/sched/section.hpp"
#include "runtime/sync/context_node.hpp"
#include "tests/storms/storms.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::storm::ending;
using test::storm::order;
namespace storm = test::storm;

namespace {

// Ever made; those that are given back are used again, but for what each processor keeps at hand.
constexpr long k_at_hand = 1'000;
long count_timer_records() {
  long count = 0;
  runtime::timer_records().for_each([&](const runtime::timer_record&) { ++count; });
  return count;
}

void expect_nothing_left(expect& e, unsigned processors, long n, std::initializer_list<order> orders,
                         std::initializer_list<ending> endings) {
  // What threads keep, and the timers' heaps, which grow where most timers happen to be made.
  constexpr std::size_t k_kept = 2 << 20, k_resident = 8 << 20, k_heap_entry = 32;
  run(test::on(processors), [&] {
    auto parent = with_cancel(background());
    for (const ending how : {ending::mixed, ending::fired})  // what is kept to be used again is there after this
      storm::contexts_come_and_go(e, parent, n, order::random, how);
    const bool purged = test::give_back_freed();
    const std::size_t allocated = test::allocated_bytes(), resident = test::resident_bytes();
    const long records = count_timer_records();
    for (const order in : orders)
      for (const ending how : endings) {
        storm::contexts_come_and_go(e, parent, n, in, how);
        e(test::allocated_bytes() < allocated + k_kept);
      }
    e(count_timer_records() <= records + k_at_hand);
    test::give_back_freed();
    if (purged) e(test::resident_bytes() < resident + k_resident + k_heap_entry * static_cast<std::size_t>(n));
    e(!parent.ctx.err());
  });
}

}  // namespace

TEST_CASE("context: made under one parent and dropped in every order, on other processors, they leave nothing behind") {
  test::for_processors({1, 4}, [](unsigned processors) {
    expect e;
    expect_nothing_left(e, processors, test::scale(70'000), {order::creation, order::reverse, order::random},
                        {ending::called, ending::dropped, ending::context_first, ending::released, ending::fired});
    e.report();
  });
}

TEST_CASE("context: a million at once under one parent, gone again, leave nothing behind") {
  expect e;
  expect_nothing_left(e, 4, test::scale(1'000'000), {order::random}, {ending::mixed});
  e.report();
}

TEST_CASE("context: deadlines by the thousand, none fires early, for who waits and who looks") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long each = test::scale(2'000);
    expect e;
    run(test::on(processors), [&] {
      auto parent = with_timeout(background(), 1h);
      wait_group all;
      for (std::uint64_t f = 0; f < 16; ++f)
        all.go([&, f] {
          test::random chance(f);
          for (long i = 0; i < each; ++i) {
            const auto d = std::chrono::nanoseconds(chance.below(200'000));
            const auto begin = clock::now();
            auto timed = with_timeout(parent, d);
            const auto due = *timed.ctx.deadline();
            auto below = with_cancel(timed);
            if (f % 4 == 0)
              while (!below.ctx.err()) this_fiber::yield();
            else
              below.ctx.done().recv();
            const auto now = clock::now();
            if (due < begin + d || now < due) e(false);
            if (timed.ctx.err() != errc::deadline_exceeded || below.ctx.err() != errc::deadline_exceeded) e(false);
          }
          e(true);
        });
      all.wait();
    });
    e.report();
  });
}
