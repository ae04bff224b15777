// Sleeping and after.
#include <algorithm>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("sleep: never early") {
  in_fiber([](expect& e) {
    for (const auto d : {1us, 50us, 1000us, 5000us}) {
      const auto begin = clock::now();
      this_fiber::sleep_for(d);
      e(clock::now() - begin >= d);
      const auto until = clock::now() + d;
      this_fiber::sleep_until(until);
      e(clock::now() >= until);
      const auto again = clock::now();
      e(sleep_for(background(), d).has_value());
      e(clock::now() - again >= d);
    }
  });
}

TEST_CASE("sleep: for no time, a negative time, or until the past returns at once") {
  in_fiber([](expect& e) {
    const auto begin = clock::now();
    this_fiber::sleep_for(0s);
    this_fiber::sleep_for(-1h);
    this_fiber::sleep_for(std::chrono::hours::min());
    this_fiber::sleep_until(begin - 1h);
    e(sleep_until(background(), begin - 1h).has_value());
    e(clock::now() - begin < 1h);
  });
}

TEST_CASE("sleep: durations of every unit, and the longest, saturate") {
  in_fiber([](expect& e) {
    auto t = spawn([] { this_fiber::sleep_for(std::chrono::hours::max()); });
    auto u = spawn([] { this_fiber::sleep_until(clock::time_point::max()); });
    this_fiber::sleep_for(std::chrono::duration<double, std::milli>(1.5));
    this_fiber::sleep_for(std::chrono::microseconds(10));
    e.equal(select(t.done(), u.done(), otherwise()), 2);
    t.cancel();
    u.cancel();
    e.throws<canceled>([&] { t.join(); });
    e.throws<canceled>([&] { u.join(); });
  });
}

TEST_CASE("sleep: who sleeps shorter wakes first") {
  in_fiber({1}, [](expect& e) {
    std::vector<int> order;
    const auto begin = clock::now();
    std::vector<task<void>> sleepers;
    for (const int i : {3, 1, 4, 2})
      sleepers.push_back(spawn([&order, begin, i] {
        this_fiber::sleep_until(begin + i * 30ms);
        order.push_back(i);
      }));
    for (auto& t : sleepers) t.join();
    e(order == std::vector{1, 2, 3, 4});
  });
}

TEST_CASE("sleep: many sleepers overlap") {
  in_fiber([](expect& e) {
    const auto begin = clock::now();
    std::vector<task<void>> sleepers;
    for (int i = 0; i < 200; ++i) sleepers.push_back(spawn([] { this_fiber::sleep_for(100ms); }));
    for (auto& t : sleepers) t.join();
    const auto took = clock::now() - begin;
    e(took >= 100ms);
    e(took < 200 * 100ms);
  });
}

TEST_CASE("sleep: one that sleeps holds up nobody") {
  in_fiber({1}, [](expect& e) {
    auto sleeper = spawn([] { this_fiber::sleep_for(20ms); });
    int turns = 0;
    while (select(sleeper.done(), otherwise()) == 1) {
      ++turns;
      this_fiber::yield();
    }
    e(turns > 1);
    sleeper.join();
  });
}

TEST_CASE("after: gives the time once, not before it is due") {
  in_fiber([](expect& e) {
    const auto begin = clock::now();
    const recv_chan<clock::time_point> c = after(5ms);
    e(error_of(c.try_recv()) == errc::would_block || clock::now() >= begin + 5ms);
    const auto at = c.recv();
    e(at && *at >= begin + 5ms && *at <= clock::now());
    e(error_of(c.try_recv()) == errc::would_block);
    e(after(-1s).recv().has_value());
  });
}

TEST_CASE("sleep: durations are rounded up to the clock's, so that none ends early") {
  using picoseconds = std::chrono::duration<std::int64_t, std::pico>;
  static_assert(timespan(picoseconds(1)).ns == 1 && timespan(picoseconds(1000)).ns == 1);
  static_assert(timespan(picoseconds(1001)).ns == 2 && timespan(picoseconds(-1)).ns == 0);
  static_assert(timespan(std::chrono::duration<double, std::nano>(0.1)).ns == 1);
  static_assert(timespan(std::chrono::hours::max()).ns == INT64_MAX);
  in_fiber([](expect& e) {
    const auto begin = clock::now();
    this_fiber::sleep_for(std::chrono::duration<double, std::micro>(10.0001));
    e(clock::now() - begin > 10us);
    const auto again = clock::now();
    auto scope = with_timeout(background(), std::chrono::duration<double, std::micro>(10.0001));
    e(*scope.ctx.deadline() - again > 10us);
  });
}
