// The questions that growth asks: each is a series over n, and what one element costs among n of them.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

struct growth_point {
  int n;
  unsigned processors;
  int rounds;  // after one that does not count
};

using growth_round = std::vector<std::pair<std::string, double>>;  // a figure and its nanoseconds an element

struct growth_figure {
  std::string name;
  std::string title;
};

struct growth_question {
  std::string name;
  std::string across;  // what is counted by n
  std::vector<growth_figure> figures;
  std::vector<int> sizes;
  std::vector<unsigned> processors;  // empty: n of them
  bool in_go = true;
  std::function<std::vector<growth_round>(const growth_point&)> measure;
};

std::vector<growth_question> fiber_growth();
std::vector<growth_question> channel_growth();
std::vector<growth_question> context_growth();
std::vector<growth_question> timer_growth();
std::vector<growth_question> processor_growth();
std::vector<growth_question> machine_growth();

inline std::vector<int> decades(int first, int last) {
  std::vector<int> all;
  for (int n = first; n <= last; n *= 10) all.push_back(n);
  return all;
}

template <class F>
std::vector<growth_round> rounds_of(const growth_point& at, F&& round) {
  std::vector<growth_round> all;
  round();
  for (int i = 0; i < at.rounds; ++i) all.push_back(round());
  return all;
}

}  // namespace bench
