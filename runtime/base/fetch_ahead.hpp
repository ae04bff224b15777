// Fetches into the caches ahead of somebody who goes along a chain.
//
// Each element of a long chain is far from the caches, and only it says where the next one is: a miss after the other.
// But elements out of one pool that were taken together lie in a row, forwards or backwards. So the one some steps
// ahead is guessed, as far away as the last step was long. A wrong guess costs a line that nobody wants; it is never
// read.
#pragma once
#include <cstdint>

namespace weft::runtime {

class row_guess {
 public:
  // At each element.
  void at(const void* element) noexcept {
    const auto here = reinterpret_cast<std::uintptr_t>(element);
    __builtin_prefetch(reinterpret_cast<const void*>(here + k_steps * (here - before_)), 1);
    before_ = here;
  }

 private:
  static constexpr std::uintptr_t k_steps = 6;
  std::uintptr_t before_ = 0;
};

}  // namespace weft::runtime
