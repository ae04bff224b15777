// The threads on which Boost.Fiber runs: this one alone, or several that steal from each other.
#pragma once

#include <boost/fiber/fiber.hpp>
#include <boost/fiber/fixedsize_stack.hpp>
#include <memory>
#include <utility>

namespace rival {

// Sets this process up for so many processors. That can be done once: the work-stealing scheduler counts its threads
// for good. Throws std::runtime_error when another number is asked for later.
void use_processors(unsigned processors);
void stop_workers();  // before main returns

// The same usable stack as weft's fibers have.
template <class F>
boost::fibers::fiber spawn(F&& f) {
  return boost::fibers::fiber(std::allocator_arg, boost::fibers::fixedsize_stack(64 << 10), std::forward<F>(f));
}

}  // namespace rival
