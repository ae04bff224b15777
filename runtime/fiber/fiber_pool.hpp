// Where control blocks come from.
#pragma once
#include "runtime/base/type_stable_pool.hpp"
#include "runtime/fiber/fiber.hpp"

namespace weft::runtime {

type_stable_pool<fiber>& fibers() noexcept;
using fiber_cache = pool_cache<fiber>;

}  // namespace weft::runtime
