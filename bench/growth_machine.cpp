// What the memory alone costs, below all that keep a stack for each of n fibers: touching n pages, apart from each
// other as weft's stacks are. Beyond the caches and the page tables' caches every element of every series costs some of
// that.
#include <sys/mman.h>

#include <stdexcept>

#include "bench/growth.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

constexpr std::size_t k_apart = 132 << 10;

std::vector<growth_round> touch(const growth_point& at) {
  return rounds_of(at, [&] {
    const std::size_t size = k_apart * static_cast<std::size_t>(at.n);
    void* const pages =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) throw std::runtime_error("growth: no address space for the pages to touch");
    ::madvise(pages, size, MADV_NOHUGEPAGE);
    const auto touch_all = [&] {
      const stopwatch time;
      for (std::size_t i = 0; i < size; i += k_apart) static_cast<volatile char*>(pages)[i] = 1;
      return time.nanoseconds() / at.n;
    };
    const double first = touch_all();
    const double again = touch_all();
    ::munmap(pages, size);
    return growth_round{{"touch_first", first}, {"touch_again", again}};
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
