// set_processors, for callers of every kind.
#include <mutex>
#include <stdexcept>
#include <string>

#include "runtime/sched/park.hpp"
#include "runtime/sched/resize.hpp"
#include "weft/mutex.hpp"
#include "weft/runtime.hpp"
#include "weft/task.hpp"

namespace weft {

using namespace runtime;

unsigned set_processors(unsigned n) {
  static mutex changing;
  const scheduler& s = sched();
  if (n > k_max_processors)
    throw std::invalid_argument("weft: set_processors: " + std::to_string(n) + ": must be a whole number from 0 to " +
                                std::to_string(k_max_processors));
  if (!s.running()) throw std::logic_error("weft::set_processors: no runtime is running");
  if (n == 0) return s.wanted.load(relaxed);
  if (running_fiber() == nullptr) return spawn([n] { return set_processors(n); }).join();
  const std::lock_guard hold(changing);
  const unsigned before = s.wanted.load(relaxed);
  if (n != before) resize(n);
  return before;
}

}  // namespace weft
