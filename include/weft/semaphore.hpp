// A number of units that are acquired and released, some at a time: Go's golang.org/x/sync/semaphore.
#pragma once
#include <cstdint>

#include "weft/detail/wait_list.hpp"
#include "weft/error.hpp"

namespace weft {

class context;

// First come, first served: whoever waits for many units is not overtaken by those who want few, not even by
// try_acquire. More than the total is never to be had: such an acquire waits, in nobody's way, until its context ends.
// acquire() is a cancellation point, also where the units are there; a wait that reports cancellation holds nothing,
// and lets those behind it go on.
//
// Any thread may release what another acquired. release() happens before the acquire() that its units go to. Must
// outlive its waiters. A negative number, or more released than was held, throws std::logic_error.
class WEFT_API semaphore {
 public:
  explicit semaphore(std::int64_t total);
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;
  ~semaphore();

  // Blocks until there are n units, and takes them.
  void acquire(std::int64_t n = 1);
  result<void> acquire(const context& ctx, std::int64_t n = 1);
  // True if they could be taken at once, and nobody waits.
  bool try_acquire(std::int64_t n = 1);
  void release(std::int64_t n = 1);

 private:
  bool take(const context* ctx, std::int64_t n);

  const std::int64_t total_;
  std::int64_t available_;  // under the list's lock
  detail::wait_list requests_;
};

}  // namespace weft
