// What contexts leave behind under a parent that lives on: nothing, in whatever order and on whatever processor they
// go.
#include <algorithm>
#include <mutex>
#include <numeric>

#include "runtime/sched/section.hpp"
#include "runtime/sync/context_node.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

namespace {

enum class order { creation, reverse, random };
enum class ending { called, dropped, context_first, released, fired, mixed };

struct key {
  using type = int;
};

// In the parent's list now.
long count_children(const context& parent) {
  runtime::cancel_node& n = *runtime::canceler_of(parent.node());
  const runtime::section in;
  const std::lock_guard hold(n.lock);
  long count = 0;
  for (const runtime::cancel_node* child = n.children.front(); child != nullptr; child = child->next) ++count;
  return count;
}

// Ever made; those that are given back are used again.
long count_timer_records() {
  long count = 0;
  runtime::timer_records().for_each([&](const runtime::timer_record&) { ++count; });
  return count;
}

// Every kind of child, some with a done channel, a stop source, a child of their own.
cancelable make(const context& parent, long i, ending how, test::random& chance) {
  if (how == ending::fired) return with_timeout(parent, std::chrono::microseconds(chance.below(2000)));
  switch (i % 6) {
    case 0:
      return with_cancel(parent);
    case 1:
      return with_timeout(parent, 1h);
    case 2:
      return with_timeout_cause(with_value<key>(parent, 1), 2h, std::make_error_code(std::errc::timed_out));
    case 3: {
      cancelable made = with_cancel(parent);
      static_cast<void>(made.ctx.done());
      return made;
    }
    case 4: {
      cancelable made = with_timeout(parent, std::chrono::minutes(1 + chance.below(100)));
      auto below = with_timeout(made, 3h);
      return made;
    }
    default: {
      cancelable made = with_cancel_cause(parent);
      static_cast<void>(made.ctx.stop_token());
      return made;
    }
  }
}

void end(cancelable& c, ending how, test::random& chance) {
  if (how == ending::mixed) how = static_cast<ending>(chance.below(4));
  switch (how) {
    case ending::called:
      c.cancel();
      break;
    case ending::context_first:
      c.ctx = background();
      break;
    case ending::released:
      c.cancel.release();
      break;
    default:
      break;
  }
  c = cancelable{};
}

void end_all(std::vector<cancelable> all, order in, ending how, test::random& chance) {
  if (how == ending::fired)
    for (const cancelable& c : all) c.ctx.done().recv();
  std::vector<std::size_t> at(all.size());
  std::iota(at.begin(), at.end(), 0u);
  if (in == order::reverse) std::ranges::reverse(at);
  if (in == order::random)
    for (std::size_t i = at.size(); i > 1; --i) std::swap(at[i - 1], at[chance.below(static_cast<unsigned>(i))]);
  for (const std::size_t i : at) end(all[i], how, chance);
}

// n children, made by four fibers; each then ends what another one made. All of them are there at the same time.
void come_and_go(expect& e, const context& parent, long n, order in, ending how) {
  constexpr int k_fibers = 4;
  const chan<std::vector<cancelable>> exchange{k_fibers};
  const chan<void> counted;
  wait_group making, all;
  making.add(k_fibers);
  for (std::uint64_t f = 0; f < k_fibers; ++f)
    all.go([&, f] {
      test::random chance(f + 1);
      std::vector<cancelable> mine;
      for (long i = 0; i < n / k_fibers; ++i) mine.push_back(make(parent, i, how, chance));
      exchange.send(std::move(mine));
      making.done();
      counted.recv();
      end_all(*exchange.recv(), in, how, chance);
    });
  making.wait();
  if (how != ending::fired) e.equal(count_children(parent), n / k_fibers * k_fibers);
  counted.close();
  all.wait();
  // A firing that was under way holds its context until it is over.
  while (how == ending::fired && count_children(parent) != 0) this_fiber::yield();
  e.equal(count_children(parent), 0);
}

void expect_nothing_left(expect& e, unsigned processors, long n, std::initializer_list<order> orders,
                         std::initializer_list<ending> endings) {
  // What threads keep, and the timers' heaps, which grow where most timers happen to be made.
  constexpr std::size_t k_kept = 2 << 20, k_resident = 8 << 20, k_heap_entry = 32;
  run(test::on(processors), [&] {
    auto parent = with_cancel(background());
    for (const ending how : {ending::mixed, ending::fired})  // what is kept to be used again is there after this
      come_and_go(e, parent, n, order::random, how);
    const bool purged = test::give_back_freed();
    const std::size_t allocated = test::allocated_bytes(), resident = test::resident_bytes();
    const long records = count_timer_records();
    for (const order in : orders)
      for (const ending how : endings) {
        come_and_go(e, parent, n, in, how);
        e(test::allocated_bytes() < allocated + k_kept);
      }
    e.equal(count_timer_records(), records);
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
