// Channels as ranges.
#include <algorithm>
#include <ranges>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

static_assert(std::ranges::input_range<chan<int>>);
static_assert(std::ranges::input_range<const recv_chan<std::string>>);

static chan<int> numbers(int count) {
  const chan<int> c;
  go([c, count] {
    for (int i = 0; i < count; ++i) c.send(i);
    c.close();
  });
  return c;
}

TEST_CASE("range: for takes every value until the channel is closed and drained") {
  in_fiber([](expect& e) {
    int next = 0;
    for (const int v : numbers(100)) e.equal(v, next++);
    e.equal(next, 100);
  });
}

TEST_CASE("range: break leaves the rest in the channel") {
  in_fiber([](expect& e) {
    const chan<int> c{10};
    for (int i = 0; i < 10; ++i) c.send(i);
    c.close();
    for (const int v : c)
      if (v == 3) break;
    e.equal(c.recv(), std::optional(4));
  });
}

TEST_CASE("range: values can be moved out") {
  in_fiber([](expect& e) {
    const chan<std::unique_ptr<int>> c{3};
    for (int i = 0; i < 3; ++i) c.send(std::make_unique<int>(i));
    c.close();
    std::vector<std::unique_ptr<int>> kept;
    for (std::unique_ptr<int> p : c) kept.push_back(std::move(p));
    e.equal(kept.size(), 3u);
    for (int i = 0; i < 3; ++i) e.equal(*kept[static_cast<std::size_t>(i)], i);
  });
}

TEST_CASE("range: a channel works with the standard's algorithms and views") {
  in_fiber([](expect& e) {
    int sum = 0;
    std::ranges::for_each(numbers(10), [&](int v) { sum += v; });
    e.equal(sum, 45);
    int taken = 0;
    const chan<int> c{5};
    for (int i = 0; i < 5; ++i) c.send(i);
    c.close();
    for (const int v : c.until(background()) | std::views::filter([](int v) { return v % 2 == 0; })) taken += v;
    e.equal(taken, 6);
  });
}

TEST_CASE("range: until ends when the channel closes") {
  in_fiber([](expect& e) {
    int count = 0;
    for ([[maybe_unused]] const int v : numbers(10).until(background())) ++count;
    e.equal(count, 10);
  });
}

TEST_CASE("range: until ends when the context is cancelled, and throws nothing") {
  in_fiber([](expect& e) {
    const chan<int> c;
    auto [ctx, cancel] = with_cancel(background());
    auto reader = spawn([c, ctx] {
      int count = 0;
      for ([[maybe_unused]] const int v : c.until(ctx)) ++count;
      return count;
    });
    c.send(1);
    c.send(2);
    test::settle();
    cancel();
    e.equal(reader.join(), 2);
    e(!c.try_send(3));
  });
}

TEST_CASE("range: until the bound context ends the loop, and the next point throws") {
  in_fiber([](expect& e) {
    const chan<int> c;
    auto [ctx, cancel] = with_cancel(background());
    bool left = false, threw = false;
    auto reader = spawn(ctx, [&] {
      for ([[maybe_unused]] const int v : c.until(this_fiber::context())) e(false);
      left = true;
      try {
        this_fiber::poll();
      } catch (const canceled&) {
        threw = true;
      }
    });
    test::settle();
    cancel();
    reader.join();
    e(left);
    e(threw);
  });
}

TEST_CASE("range: over a closed channel what is left, over a nil one for ever") {
  in_fiber([](expect& e) {
    const chan<int> c{2};
    c.send(1);
    c.send(2);
    c.close();
    int sum = 0;
    for (const int v : c) sum += v;
    for (const int v : c) sum += v;
    e.equal(sum, 3);
    const chan<int> nil = nullptr;
    auto reader = spawn([nil] {
      for ([[maybe_unused]] const int v : nil) return true;
      return false;
    });
    test::settle();
    e.equal(select(reader.done(), otherwise()), 1);
    reader.cancel();
    e.throws<canceled>([&] { reader.join(); });
  });
}
