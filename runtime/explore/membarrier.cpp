// base/membarrier.cpp where threads are explored.
#include "runtime/base/membarrier.hpp"

#include "runtime/explore/explorer.hpp"

namespace weft::runtime {

bool has_membarrier() noexcept { return true; }

bool heavy_fence() noexcept {
  the_explorer().point("membarrier", __builtin_return_address(0));
  the_explorer().fence_all();
  return true;
}

}  // namespace weft::runtime
