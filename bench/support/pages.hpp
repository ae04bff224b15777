// What the memory alone costs below all that keep a stack for each of n fibers.
#pragma once

namespace bench {

struct page_touches {
  double first;  // nanoseconds, each
  double again;
};

// Of n pages, apart from each other as weft's stacks are. Throws std::runtime_error without the address space.
page_touches touch_pages(int n);

}  // namespace bench
