// The pool of stacks: see stack_pool.hpp.
#include "runtime/stack/stack_pool.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>
#include <string>
#include <utility>

#include "runtime/stack/depot.hpp"
#include "runtime/stack/overflow.hpp"

namespace weft::runtime {
namespace {

constexpr int k_smallest_class = std::countr_zero(k_min_stack_size);
constexpr int k_classes = std::countr_zero(k_max_stack_size) - k_smallest_class + 1;

constinit std::array<depot, k_classes> g_depots;  // trivially destroyed: threads may outlive main

}  // namespace

std::size_t round_stack_size(std::size_t requested) {
  if (requested > k_max_stack_size)
    throw std::invalid_argument("weft: a stack size of " + std::to_string(requested) +
                                " bytes is more than the most, 1 GiB");
  return std::bit_ceil(std::max(requested, k_min_stack_size));
}

depot& depot_of(std::size_t size) noexcept {
  return g_depots[static_cast<std::size_t>(std::countr_zero(size) - k_smallest_class)];
}

void stack_cache::serve(std::size_t size) {
  const std::size_t rounded = round_stack_size(size);
  if (rounded != cached_size_) flush();
  cached_size_ = rounded;
}

stack* stack_cache::take_slowly(std::size_t size) {
  const std::size_t rounded = round_stack_size(size);
  if (rounded != cached_size_) return clean(depot_of(rounded).take(rounded, 1).pop());
  if (hot_.empty()) std::swap(hot_, warm_);
  if (hot_.empty()) hot_ = depot_of(rounded).take(rounded, k_magazine);
  return clean(hot_.pop());
}

void stack_cache::give_slowly(stack* s) noexcept {
  if (s->open && has_overflowed(*s)) die_of_overflow(*s);
  if (s->size != cached_size_) {
    stack_list one;
    one.push(s);
    depot_of(s->size).give(one);
    return;
  }
  if (hot_.count() == k_magazine) {
    if (!warm_.empty()) depot_of(cached_size_).give(warm_);
    std::swap(hot_, warm_);
  }
  hot_.push(s);
}

void stack_cache::flush() noexcept {
  hot_.join_back(warm_);
  if (!hot_.empty()) depot_of(cached_size_).give(hot_);
}

std::size_t trim_stacks(bool all) noexcept {
  std::size_t trimmed = 0;
  for (depot& d : g_depots) trimmed += d.trim(all);
  return trimmed;
}

stack_statistics stack_stats() noexcept {
  stack_statistics sum{};
  for (depot& d : g_depots) {
    const depot::counts c = d.count();
    sum.mapped += c.carved;
    sum.in_use += c.carved - c.free;
    sum.free += c.free;
    sum.trimmed += c.trimmed;
  }
  return sum;
}

}  // namespace weft::runtime
