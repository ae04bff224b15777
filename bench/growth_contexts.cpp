// Contexts: many below one, one below the other, and one to which many fibers are bound.
#include <optional>
#include <stdexcept>
#include <vector>
#include <weft/weft.hpp>

#include "bench/growth.hpp"
#include "bench/growth_parked.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

struct tree {
  std::optional<weft::cancelable> top;
  std::vector<weft::cancelable> below;
};

// make(tree, i) makes the i-th below.
template <class Make>
growth_round grow_and_cancel(int n, const char* created, const char* canceled, const char* dropped, Make&& make) {
  tree t;
  t.top.emplace(weft::with_cancel(weft::background()));
  t.below.reserve(static_cast<std::size_t>(n));
  const stopwatch creating;
  for (int i = 0; i < n; ++i) t.below.push_back(make(t));
  const double create = creating.nanoseconds();
  const stopwatch canceling;
  t.top->cancel();
  const double cancel = canceling.nanoseconds();
  if (!t.below.back().ctx.err()) throw std::logic_error("growth: a context was not cancelled");
  const stopwatch dropping;
  t.below.clear();
  return {{created, create / n}, {canceled, cancel / n}, {dropped, dropping.nanoseconds() / n}};
}

std::vector<growth_round> breadth(const growth_point& at) {
  return weft::run({.processors = at.processors}, [&] {
    return rounds_of(at, [&] {
      return grow_and_cancel(at.n, "breadth_create", "breadth_cancel", "breadth_drop",
                             [](const tree& t) { return weft::with_cancel(t.top->ctx); });
    });
  });
}

std::vector<growth_round> depth(const growth_point& at) {
  return weft::run({.processors = at.processors}, [&] {
    return rounds_of(at, [&] {
      return grow_and_cancel(at.n, "depth_create", "depth_cancel", "depth_drop", [](const tree& t) {
        return weft::with_cancel(t.below.empty() ? t.top->ctx : t.below.back().ctx);
      });
    });
  });
}

// Fibers that are bound to the context come and go, while n others stay.
std::vector<growth_round> bound(const growth_point& at) {
  constexpr int k_guests = 1000, k_batches = 20;
  return weft::run({.processors = at.processors}, [&] {
    const auto scope = weft::with_cancel(weft::background());
    const weft::chan<void> never;
    std::atomic<int> arrived{0};
    weft::wait_group ended;
    for (int i = 0; i < at.n; ++i)
      ended.go(scope.ctx, [&] {
        arrived.fetch_add(1, std::memory_order_relaxed);
        never.recv();
      });
    await_parked(arrived, at.n);
    auto all = rounds_of(at, [&] {
      weft::wait_group guests;
      const stopwatch time;
      for (int batch = 0; batch < k_batches; ++batch) {
        for (int i = 0; i < k_guests; ++i) guests.go(scope.ctx, [] {});
        guests.wait();
      }
      return growth_round{{"bound", time.nanoseconds() / k_batches / k_guests}};
    });
    scope.cancel();
    ended.wait();
    return all;
  });
}

}  // namespace

std::vector<growth_question> context_growth() {
  const auto sizes = decades(100, 1'000'000);
  return {
      {"breadth",
       "contexts below one",
       {{"breadth_create", "a context made, in breadth"},
        {"breadth_cancel", "cancel() of the one above, each"},
        {"breadth_drop", "a cancelled context dropped"}},
       sizes,
       {1},
       true,
       breadth},
      {"depth",
       "contexts one below the other",
       {{"depth_create", "a context made, in depth"},
        {"depth_cancel", "cancel() of the uppermost, each"},
        {"depth_drop", "a cancelled context dropped, in depth"}},
       sizes,
       {1},
       true,
       depth},
      {"bound",
       "fibers that stay bound to one context",
       {{"bound", "another one bound, run and gone"}},
       decades(100, 100'000),
       {1, 2},
       false,
       bound},
  };
}

}  // namespace bench
