// Something that happens once, and everybody who waits for it.
#pragma once
#include <atomic>

#include "weft/context.hpp"
#include "weft/detail/atomic_of.hpp"
#include "weft/detail/wait_list.hpp"

namespace weft::detail {

class WEFT_API completion {
 public:
  completion() noexcept = default;
  completion(const completion&) = delete;
  completion& operator=(const completion&) = delete;
  ~completion() = default;

  // Once; the caller keeps it alive meanwhile. What was written before is seen by everyone who has waited or found it
  // complete.
  void complete() noexcept;
  bool complete_already() const noexcept { return complete_.load(std::memory_order_acquire); }
  // True when complete. With a context: false when that ended first; without: throws canceled for the bound one.
  bool wait(const context* ctx);

 private:
  wait_list waiters_;
  atomic_of<bool> complete_{false};
};

}  // namespace weft::detail
