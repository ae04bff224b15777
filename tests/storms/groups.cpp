// Groups and structured calls, cancelled at random.
#include <stdexcept>
#include <vector>

#include "tests/storms/storms.hpp"

using namespace weft;

namespace test::storm {
namespace {

// A tree of calls, of which some fail and some run out of time; counts who is in it.
int tree(test::random& dice, int depth, std::atomic<long>& inside) {
  ++inside;
  const defer out([&] { --inside; });
  if (depth == 0) {
    const unsigned what = dice.below(16);
    if (what == 0) throw std::runtime_error("leaf");
    if (what == 1) this_fiber::sleep_for(1h);
    if (what < 6) this_fiber::yield();
    return 1;
  }
  test::random a(dice.next()), b(dice.next());
  const auto left = [&] { return tree(a, depth - 1, inside); };
  const auto right = [&] { return tree(b, depth - 1, inside); };
  switch (dice.below(4)) {
    case 0: {
      const auto [x, y] = all(left, right);
      return x + y;
    }
    case 1:
      return race(left, right);
    case 2: {
      std::atomic<int> sum{0};
      const auto seeds = {a.next(), b.next(), dice.next()};
      each(seeds, 2, [&](std::uint64_t seed) {
        test::random own(seed);
        sum += tree(own, depth - 1, inside);
      });
      return sum;
    }
    default:
      return within(500us, left).value_or(0);
  }
}

}  // namespace

tree_end tree_of_calls(expect& e, std::uint64_t seed) {
  std::atomic<long> inside{0};
  test::random dice(seed);
  auto parent = with_cancel(background());
  auto cancels_it = spawn([&, turns = dice.below(60)] {
    for (unsigned i = 0; i < turns; ++i) this_fiber::yield();
    if (turns % 3 == 0) parent.cancel();
  });
  auto t = spawn(parent, [&] {
    tree_end end = tree_end::value;
    try {
      if (!within(5ms, [&] { return tree(dice, 4, inside); })) end = tree_end::timeout;
    } catch (const canceled&) {
      end = tree_end::cancel;
      e(parent.ctx.err() == errc::canceled);
    } catch (const std::runtime_error&) {
      end = tree_end::exception;
    }
    e.equal(inside.load(), 0l);
    return end;
  });
  const tree_end end = t.join();
  cancels_it.join();
  return end;
}

void group_places(expect& e, std::uint64_t seed) {
  constexpr int k_limit = 3;
  group g;
  g.set_limit(k_limit);
  std::atomic<long> started{0}, thrown{0}, ran{0}, now{0};
  std::vector<task<void>> askers;
  for (int i = 0; i < 30; ++i)
    askers.push_back(spawn([&, own = seed * 30 + static_cast<std::uint64_t>(i)] {
      test::random dice(own);
      for (int j = 0; j < 4; ++j) {
        try {
          g.go([&, turns = dice.below(4)] {
            e(++now <= k_limit);
            for (unsigned t = 0; t < turns; ++t) this_fiber::yield();
            --now;
            ++ran;
          });
          ++started;
        } catch (const canceled&) {
          ++thrown;
        }
      }
    }));
  test::random dice(seed);
  for (int k = 0; k < 15; ++k) {
    askers[dice.below(30)].cancel();
    this_fiber::yield();
  }
  for (auto& t : askers) t.join();
  e(g.wait().has_value());
  e.equal(started + thrown, 120l);
  e.equal(ran.load(), started.load());
  const chan<void> end;
  for (int i = 0; i < k_limit; ++i) e(g.try_go([&] { end.recv(); }));
  e(!g.try_go([] {}));
  end.close();
  e(g.wait().has_value());
}

}  // namespace test::storm
