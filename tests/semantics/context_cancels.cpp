// context: cancels that meet.
#include <algorithm>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

struct layer {
  using type = int;
};

// A tree, four children each, in the order of its levels.
std::vector<cancelable> grow(std::size_t nodes) {
  std::vector<cancelable> all;
  all.push_back(with_cancel(background()));
  for (std::size_t parent = 0; all.size() < nodes; ++parent)
    for (int i = 0; i < 4; ++i) all.push_back(with_cancel(all[parent].ctx));
  return all;
}

template <class T>
void shuffle(std::vector<T>& all, test::random& chance) {
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[chance.below(static_cast<unsigned>(i))]);
}

}  // namespace

TEST_CASE("cancels: every node of a tree at once, in random order, each is over when its own cancel has returned") {
  in_fiber({1, 2, 4}, [](expect& e) {
    test::random chance(1);
    for (int round = 0; round < 20; ++round) {
      std::vector<cancelable> all = grow(101);
      std::vector<context> contexts;
      for (const cancelable& c : all) contexts.push_back(c.ctx);
      shuffle(all, chance);
      wait_group cancelling;
      for (const cancelable& c : all)
        cancelling.go([&e, &c] {
          c.cancel();
          e(c.ctx.err() == errc::canceled);
        });
      for (const context& ctx : contexts) e(!ctx.done().recv());
      cancelling.wait();
    }
  });
}

TEST_CASE("cancels: a parent's and its child's meet without a deadlock") {
  in_fiber({1, 2, 4}, [](expect& e) {
    for (int round = 0; round < 500; ++round) {
      auto parent = with_cancel(background());
      auto child = with_cancel(parent);
      auto other = spawn([&] {
        static_cast<void>(parent.ctx.done());
        child.cancel();
      });
      parent.cancel();
      e(!child.ctx.done().recv());
      other.join();
      e(parent.ctx.err() == errc::canceled);
    }
  });
}

TEST_CASE("cancels: many at once of one context, whoever returns finds it and all below over") {
  in_fiber({1, 2, 4}, [](expect& e) {
    // Until it has happened often enough that one began while the first was among the children. Never on one processor.
    std::atomic<int> met{0};
    for (int round = 0; round < 100 && met < 10; ++round) {
      auto parent = with_cancel(background());
      std::vector<cancelable> below;
      for (int i = 0; i < 5000; ++i) below.push_back(with_cancel(i % 2 == 0 ? parent.ctx : below.back().ctx));
      std::atomic<bool> first_is_back{false};
      const auto look = [&] {
        e(std::ranges::all_of(below, [](const cancelable& c) { return c.ctx.err() == errc::canceled; }));
      };
      wait_group cancelling;
      for (int i = 0; i < 3; ++i)
        cancelling.go([&] {
          while (!parent.ctx.err()) this_fiber::yield();
          const bool early = !first_is_back;
          parent.cancel();
          look();
          met += early;
        });
      test::settle();
      parent.cancel();
      first_is_back = true;
      look();
      cancelling.wait();
    }
  });
}

TEST_CASE("cancels: through layers of values, cancels and deadlines, wherever it begins; the values stay") {
  in_fiber([](expect& e) {
    test::random chance(7);
    for (int round = 0; round < 100; ++round) {
      context ctx;
      std::vector<cancelable> scopes;
      int value = -1;
      while (scopes.size() < 10) switch (chance.below(3)) {
          case 0:
            ctx = with_value<layer>(ctx, ++value);
            break;
          case 1:
            scopes.push_back(with_cancel(ctx));
            ctx = scopes.back();
            break;
          default:
            scopes.push_back(with_timeout(ctx, 1h));
            ctx = scopes.back();
        }
      const auto values_hold = [&] { return value < 0 ? ctx.value<layer>() == nullptr : *ctx.value<layer>() == value; };
      e(!ctx.err());
      e(values_hold());
      scopes[chance.below(10)].cancel();
      e(ctx.err() == errc::canceled);
      e(error_of(ctx.done().try_recv()) == errc::closed);
      e(values_hold());
    }
  });
}

TEST_CASE("cancels: the earliest of layered deadlines ends what is below it, and not what is above") {
  in_fiber([](expect& e) {
    auto outer = with_timeout(background(), 1h);
    auto timed = with_timeout(outer, 2ms);
    auto later = with_timeout(with_value<layer>(timed, 1), 2h);
    auto inner = with_cancel(later);
    e(!inner.ctx.done().recv());
    for (const context& ctx : {timed.ctx, later.ctx, inner.ctx}) e(ctx.err() == errc::deadline_exceeded);
    e(!outer.ctx.err());
    e.equal(*inner.ctx.value<layer>(), 1);
  });
}
