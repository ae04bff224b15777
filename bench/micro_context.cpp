// What contexts cost: making and cancelling one, looking up a value, cancelling a tree of 111,111.
#include <stdexcept>
#include <utility>
#include <vector>
#include <weft/weft.hpp>

#include "bench/micro.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

template <int>
struct key {
  using type = int;
};

template <class Work>
row_values one_processor(const char* name, Work work) {
  return {{name, weft::run({.processors = 1}, work)}};
}

row_values with_cancel(const row_request& request) {
  return one_processor("context_cancel", [n = request.scaled(2'000'000)] {
    const stopwatch time;
    for (int i = 0; i < n; ++i) {
      auto [ctx, cancel] = weft::with_cancel(weft::background());
      cancel();
    }
    return time.nanoseconds() / n;
  });
}

row_values with_timeout(const row_request& request) {
  return one_processor("context_timeout", [n = request.scaled(1'000'000)] {
    const stopwatch time;
    for (int i = 0; i < n; ++i) {
      auto [ctx, cancel] = weft::with_timeout(weft::background(), 1h);
      cancel();
    }
    return time.nanoseconds() / n;
  });
}

template <int... Depth>
weft::context ten_values(std::integer_sequence<int, Depth...>) {
  weft::context ctx = weft::background();
  ((ctx = weft::with_value<key<Depth>>(ctx, Depth + 1)), ...);
  return ctx;
}

row_values value_at_depth(const row_request& request) {
  return one_processor("context_value", [n = request.scaled(10'000'000)] {
    const weft::context ctx = ten_values(std::make_integer_sequence<int, 10>());
    long sum = 0;
    const stopwatch time;
    for (int i = 0; i < n; ++i) sum += *ctx.value<key<0>>();
    if (sum != n) throw std::logic_error("context: wrong value");
    return time.nanoseconds() / n;
  });
}

row_values cancel_tree(const row_request&) {
  return one_processor("context_tree", [] {
    std::vector<weft::cancelable> tree;
    tree.reserve(111'111);
    tree.push_back(weft::with_cancel(weft::background()));
    for (std::size_t parent = 0; parent < 11'111; ++parent)
      for (int child = 0; child < 10; ++child) tree.push_back(weft::with_cancel(tree[parent].ctx));
    const stopwatch time;
    tree.front().cancel();
    const double milliseconds = time.milliseconds();
    if (!tree.back().ctx.err()) throw std::logic_error("context: a leaf was not cancelled");
    return milliseconds;
  });
}

}  // namespace

rows context_rows() {
  return {{"context_cancel", {1}, with_cancel},
          {"context_timeout", {1}, with_timeout},
          {"context_value", {1}, value_at_depth},
          {"context_tree", {1}, cancel_tree}};
}

}  // namespace bench
