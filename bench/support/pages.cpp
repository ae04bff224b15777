#include "bench/support/pages.hpp"

#include <sys/mman.h>

#include <cstddef>
#include <stdexcept>

#include "bench/support/stopwatch.hpp"

namespace bench {

page_touches touch_pages(int n) {
  constexpr std::size_t k_apart = 132 << 10;
  const std::size_t size = k_apart * static_cast<std::size_t>(n);
  void* const pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) throw std::runtime_error("no address space for the pages to touch");
  ::madvise(pages, size, MADV_NOHUGEPAGE);
  const auto touch_all = [&] {
    const stopwatch time;
    for (std::size_t i = 0; i < size; i += k_apart) static_cast<volatile char*>(pages)[i] = 1;
    return time.nanoseconds() / n;
  };
  const double first = touch_all();
  const double again = touch_all();
  ::munmap(pages, size);
  return {first, again};
}

}  // namespace bench
