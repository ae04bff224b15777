// Contexts that come and go under a parent that lives on.
#include <algorithm>
#include <mutex>
#include <numeric>
#include <vector>

#include "runtime/sched/section.hpp"
#include "runtime/sync/context_node.hpp"
#include "tests/storms/storms.hpp"

using namespace weft;

namespace test::storm {
namespace {

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

}  // namespace

// n children, made by four fibers; each then ends what another one made. All of them are there at the same time.
void contexts_come_and_go(expect& e, const context& parent, long n, order in, ending how) {
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

}  // namespace test::storm
