// What the memory alone costs, below all that keep a stack for each of n fibers: touching n pages, apart from each
// other as weft's stacks are. Beyond the caches and the page tables' caches every element of every series costs some of
// that.
#include "bench/growth.hpp"
#include "bench/support/pages.hpp"

namespace bench {
namespace {

std::vector<growth_round> touch(const growth_point& at) {
  return rounds_of(at, [&] {
    const page_touches each = touch_pages(static_cast<int>(at.n));
    return growth_round{{"touch_first", each.first}, {"touch_again", each.again}};
  });
}

}  // namespace

std::vector<growth_question> machine_growth() {
  return {
      {"memory",
       "pages",
       {{"touch_first", "the machine: a page's first touch"}, {"touch_again", "the machine: a page's second touch"}},
       decades(100, 1'000'000),
       {1},
       false,
       touch}};
}

}  // namespace bench
