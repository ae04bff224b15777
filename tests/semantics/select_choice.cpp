// select: one case is taken, and any of the ready ones as likely as the next.
#include <algorithm>
#include <array>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

// Pearson's statistic against the uniform distribution.
template <std::size_t N>
static double chi_square(const std::array<long, N>& counts) {
  long total = 0;
  for (const long n : counts) total += n;
  const double wanted = static_cast<double>(total) / N;
  double sum = 0;
  for (const long n : counts) sum += (static_cast<double>(n) - wanted) * (static_cast<double>(n) - wanted) / wanted;
  return sum;
}

// 3 degrees of freedom: a fair choice exceeds this once in more than a million runs.
constexpr double k_limit = 32.0;
constexpr int k_rounds = 20'000;

TEST_CASE("select: uniform among ready receivers") {
  in_fiber({1}, [](expect& e) {
    const chan<void> a, b, c, d;
    for (const auto& ch : {a, b, c, d}) ch.close();
    std::array<long, 4> counts{};
    for (int i = 0; i < k_rounds; ++i) ++counts[static_cast<std::size_t>(select(a, b, c, d))];
    e(chi_square(counts) < k_limit);
  });
}

TEST_CASE("select: uniform among ready senders and receivers") {
  in_fiber({1}, [](expect& e) {
    const chan<int> a{1}, b{1}, c{1}, d{1};
    std::array<long, 4> counts{};
    for (int i = 0; i < k_rounds; ++i) {
      (void)a.try_send(1);
      (void)b.try_send(1);
      (void)c.try_recv();
      (void)d.try_recv();
      ++counts[static_cast<std::size_t>(select(recv(a), recv(b), send(c, 1), send(d, 1)))];
    }
    e(chi_square(counts) < k_limit);
  });
}

TEST_CASE("select: a dynamic select is uniform too") {
  in_fiber({1}, [](expect& e) {
    std::vector<select_case> cases;
    for (int i = 0; i < 4; ++i) {
      const chan<void> c;
      c.close();
      cases.emplace_back(recv(c));
    }
    std::array<long, 4> counts{};
    for (int i = 0; i < k_rounds; ++i) ++counts[static_cast<std::size_t>(select(std::span(cases)))];
    e(chi_square(counts) < k_limit);
  });
}

TEST_CASE("select: takes exactly one of the ready cases") {
  in_fiber([](expect& e) {
    for (int i = 0; i < 1000; ++i) {
      const chan<int> a{1}, b{1}, c{1};
      a.send(1);
      b.send(1);
      int bodies = 0;
      select(recv(a, [&] { ++bodies; }), recv(b, [&] { ++bodies; }), send(c, 1, [&] { ++bodies; }));
      e.equal(bodies, 1);
      const std::size_t taken = (1 - a.len()) + (1 - b.len()) + c.len();
      e.equal(taken, 1u);
    }
  });
}

TEST_CASE("select: of many selects waiting on one channel each value reaches one") {
  in_fiber([](expect& e) {
    const chan<int> a, b;
    std::vector<task<int>> waiting;
    for (int i = 0; i < 100; ++i)
      waiting.push_back(spawn([a, b] {
        std::optional<int> got;
        select(recv(a, got), recv(b, got));
        return *got;
      }));
    for (int i = 0; i < 100; ++i) (i % 2 ? a : b).send(i);
    std::vector<int> all;
    for (auto& t : waiting) all.push_back(t.join());
    std::ranges::sort(all);
    for (int i = 0; i < 100; ++i) e.equal(all[static_cast<std::size_t>(i)], i);
  });
}

TEST_CASE("select: the same channel may be sent to and received from, but never from itself") {
  in_fiber([](expect& e) {
    const chan<int> c;
    e.equal(select(recv(c), send(c, 1), otherwise()), 2);
    e.equal(select(recv(c), send(c, 1), after(1ms)), 2);
    for (int i = 0; i < 500; ++i) {
      const auto both = [c] { return select(send(c, 7), recv(c)); };
      auto first = spawn(both), second = spawn(both);
      const int one = first.join(), two = second.join();
      e.equal(one + two, 1);  // one sends, the other receives
    }
  });
}

TEST_CASE("select: the same channel may be listed many times") {
  in_fiber([](expect& e) {
    const chan<int> c;
    auto waiting = spawn([c] { return select(recv(c), recv(c), recv(c)); });
    c.send(1);
    const int taken = waiting.join();
    e(taken >= 0 && taken < 3);
    e(!c.try_send(2));
  });
}
