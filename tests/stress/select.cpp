// select at large: a fair choice, over a million rounds, and at one moment.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include "tests/support/preemption.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

namespace {

// Pearson's statistic of `counts` against `weights`, as a deviate of the normal distribution (Wilson and Hilferty).
double deviation(const std::vector<long>& counts, const std::vector<double>& weights) {
  double total = 0, weight = 0, sum = 0;
  for (const long n : counts) total += static_cast<double>(n);
  for (const double w : weights) weight += w;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double wanted = total * weights[i] / weight;
    sum += (static_cast<double>(counts[i]) - wanted) * (static_cast<double>(counts[i]) - wanted) / wanted;
  }
  const auto freedom = static_cast<double>(counts.size() - 1);
  const double spread = 2 / (9 * freedom);
  return (std::cbrt(sum / freedom) - (1 - spread)) / std::sqrt(spread);
}

// A fair choice exceeds this once in some billion runs.
constexpr double k_limit = 6.2;

// What was taken, and what after what.
class tallies {
 public:
  explicit tallies(std::size_t cases) : singles_(cases), pairs_(cases * cases) {}
  void operator()(int taken) {
    const auto at = static_cast<std::size_t>(taken);
    ++singles_[at];
    if (before_ != k_none) ++pairs_[before_ * singles_.size() + at];
    before_ = at;
  }
  void expect_uniform(expect& e, std::source_location at = std::source_location::current()) const {
    e(deviation(singles_, std::vector(singles_.size(), 1.0)) < k_limit, at);
    e(deviation(pairs_, std::vector(pairs_.size(), 1.0)) < k_limit, at);
  }
  const std::vector<long>& singles() const { return singles_; }

 private:
  static constexpr std::size_t k_none = SIZE_MAX;
  std::vector<long> singles_, pairs_;
  std::size_t before_ = k_none;
};

chan<void> always() {
  const chan<void> c;
  c.close();
  return c;
}

}  // namespace

TEST_CASE("select: uniform over a million choices, and whatever was taken before, on 2 to 20 receivers") {
  const long rounds = test::scale(1'000'000);
  expect e;
  run(test::on(1), [&] {
    const chan<void> a = always(), b = always(), c = always(), d = always(), never;
    tallies two(2), four(4), with_losers(3);
    for (long i = 0; i < rounds; ++i) {
      two(select(a, b));
      four(select(a, b, c, d));
      const int taken = select(never, a, recv(chan<void>(nullptr)), b, never, c, otherwise());
      with_losers(taken == 1 ? 0 : taken == 3 ? 1 : 2);
      if (taken != 1 && taken != 3 && taken != 5) e(false);
    }
    two.expect_uniform(e);
    four.expect_uniform(e);
    with_losers.expect_uniform(e);
    std::vector<select_case> many;
    for (int i = 0; i < 20; ++i) many.emplace_back(recv(always()));
    tallies twenty(20);
    for (long i = 0; i < rounds / 4 + 1; ++i) twenty(select(std::span(many)));
    if (rounds >= 100'000) twenty.expect_uniform(e);  // else too few for 400 pairs
  });
  e.report();
}

TEST_CASE("select: uniform over a million choices among senders and receivers, bytes and objects") {
  const long rounds = test::scale(1'000'000);
  expect e;
  run(test::on(1), [&] {
    const chan<int> a{1}, b{1}, c{1};
    const chan<std::unique_ptr<int>> d{1}, f{1};
    tallies mixed(5);
    for (long i = 0; i < rounds; ++i) {
      (void)a.try_send(1);
      (void)b.try_recv();
      (void)c.try_send(1);
      (void)d.try_send(nullptr);
      (void)f.try_recv();
      mixed(select(recv(a), send(b, 1), recv(c), recv(d), send(f, nullptr)));
    }
    mixed.expect_uniform(e);
  });
  e.report();
}

TEST_CASE("select: a channel listed twice is taken twice as often") {
  const long rounds = test::scale(1'000'000);
  expect e;
  run(test::on(1), [&] {
    const chan<void> a = always(), b = always();
    std::vector<long> taken(2);
    for (long i = 0; i < rounds; ++i) ++taken[select(a, b, a) == 1];
    e(deviation(taken, {2, 1}) < k_limit);
  });
  e.report();
}

TEST_CASE("select: nobody starves, neither a case beside hot ones nor a fiber beside a select that never waits") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long rare_ones = test::scale(300);
    expect e;
    run(test::on(processors), [&] {
      // Seven that are always ready, and one that is now and then.
      std::vector<chan<void>> hot;
      for (int i = 0; i < 7; ++i) hot.push_back(always());
      const chan<long> rare;
      long served = 0, turns = 0;
      std::atomic<bool> done{false};
      auto sender = spawn([&] {
        for (long i = 0; i < rare_ones; ++i) rare.send(i);
        done = true;
      });
      while (!done) {
        ++turns;
        select(hot[0], hot[1], hot[2], hot[3], recv(rare, [&] { ++served; }), hot[4], hot[5], hot[6]);
      }
      sender.join();
      e.equal(served, rare_ones);
      e(turns >= served);
    });
    e.report();
  });
}

// From the moment the other fiber is started, one of the two channels is ready at any time, first this one, then that
// one: a select that looked at them one after the other could find neither.
TEST_CASE("select: looks at all its channels at one moment") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long rounds = test::scale(50'000);
    expect e;
    run(test::on(processors), [&] {
      const chan<bool> found{1};
      test::random random(processors);
      std::atomic<long> begun{-1};
      long missed = 0;
      for (long i = 0; i < rounds; ++i) {
        const chan<int> one{1}, two{1};
        const bool closes = i % 2 == 0;
        one.send(1);
        go([=, &begun] {
          begun = i;
          found.send(select(one, two, otherwise()) != 2);
        });
        if (closes) {
          // On a processor of its own it is in the middle of its select when the channels change.
          while (processors > 1 && begun != i) test::spin(1);
          test::spin(random.below(2000));
          two.close();
          (void)one.try_recv();
        } else {
          for (int move = 0; found.len() == 0 && (processors > 1 || move < 10); ++move) {
            const auto& to = move % 2 == 0 ? two : one;
            const auto& from = move % 2 == 0 ? one : two;
            to.send(1);
            (void)from.try_recv();
          }
        }
        missed += !*found.recv();
      }
      e.equal(missed, 0);
    });
    e.report();
  });
}

TEST_CASE("select: what is in the buffer is found while the channel is being closed") {
  test::for_processors({1, 2, 4}, [](unsigned processors) {
    const long rounds = test::scale(50'000);
    expect e;
    run(test::on(processors), [&] {
      const chan<int> found{1};
      long missed = 0;
      for (long i = 0; i < rounds; ++i) {
        const chan<int> c{1};
        c.send(1);
        go([=] { found.send(select(c, otherwise())); });
        c.close();
        (void)c.recv();
        missed += *found.recv() != 0;
      }
      e.equal(missed, 0);
    });
    e.report();
  });
}

TEST_CASE("select: waits on channels that lose leave nothing behind there") {
  test::for_processors({1, 4}, [](unsigned processors) {
    const long rounds = test::scale(200'000);
    expect e;
    run(test::on(processors), [&] {
      const chan<int> never, ticks;
      auto ticking = spawn([&] {
        for (long i = 0; i < 2 * rounds; ++i) ticks.send(1);
        ticks.close();
      });
      const auto some = [&](long n) {
        for (long i = 0; i < n; ++i) select(never, ticks, send(never, 1), never);
      };
      some(rounds);
      const std::size_t before = test::resident_bytes();
      some(rounds);
      e(test::resident_bytes() < before + (8 << 20));
      e(!never.try_send(1));
      e(!never.try_recv());
      ticking.join();
    });
    e.report();
  });
}
