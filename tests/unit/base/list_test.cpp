// Intrusive lists against std::deque.
#include "runtime/base/list.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "tests/support/support.hpp"

using namespace weft::runtime;

namespace {

struct element {
  element* next = nullptr;
  element* prev = nullptr;
};

template <class List>
std::vector<element*> drain(List& list) {
  std::vector<element*> all;
  while (element* x = list.pop_front()) all.push_back(x);
  return all;
}

}  // namespace

TEST_CASE("queue_of: first in, first out, and it counts") {
  std::array<element, 3> x;
  queue_of<element> q;
  CHECK(q.empty());
  CHECK(q.pop_front() == nullptr);
  for (element& e : x) q.push_back(&e);
  CHECK(q.size() == 3);
  CHECK(q.pop_front() == &x[0]);
  CHECK(q.size() == 2);
  q.push_back(&x[0]);
  CHECK(drain(q) == std::vector{&x[1], &x[2], &x[0]});
  CHECK(q.empty());
  CHECK(q.size() == 0);
  q.push_back(&x[2]);
  CHECK(drain(q) == std::vector{&x[2]});
}

TEST_CASE("queue_of: append takes all of the other, in order, and leaves it empty and usable") {
  for (std::size_t left = 0; left <= 3; ++left)
    for (std::size_t right = 0; right <= 3; ++right) {
      std::array<element, 8> x;
      queue_of<element> a, b;
      std::vector<element*> wanted;
      for (std::size_t i = 0; i < left + right; ++i) {
        (i < left ? a : b).push_back(&x[i]);
        wanted.push_back(&x[i]);
      }
      a.append(b);
      CHECK(a.size() == left + right);
      CHECK(b.empty());
      CHECK(b.size() == 0);
      b.push_back(&x[6]);
      a.push_back(&x[7]);
      wanted.push_back(&x[7]);
      CHECK(drain(a) == wanted);
      CHECK(drain(b) == std::vector{&x[6]});
    }
}

TEST_CASE("list_of: elements leave from front, middle and end, and the others keep their order") {
  constexpr std::size_t k_links = 20;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    test::random chance(seed);
    std::array<element, k_links> x;
    std::deque<element*> out, model;
    for (element& e : x) out.push_back(&e);
    list_of<element> list;
    long wrong = 0;
    for (int i = 0; i < 2000; ++i) {
      const unsigned move = chance.below(3);
      if (move == 0 && !out.empty()) {
        list.push_back(out.front());
        model.push_back(out.front());
        out.pop_front();
      } else if (move == 1 && !model.empty()) {
        const auto at = model.begin() + chance.below(static_cast<unsigned>(model.size()));
        list.remove(*at);
        out.push_back(*at);
        model.erase(at);
      } else if (move == 2) {
        element* const first = list.pop_front();
        wrong += first != (model.empty() ? nullptr : model.front());
        if (first == nullptr) continue;
        out.push_back(first);
        model.pop_front();
      }
      wrong += list.empty() != model.empty() || list.front() != (model.empty() ? nullptr : model.front());
    }
    CHECK(wrong == 0);
    CHECK(std::ranges::equal(drain(list), model));
  }
}
