// Making fibers.
#pragma once
#include <string_view>

#include "runtime/fiber/fiber.hpp"

namespace weft::runtime {

// A fiber of the runtime's own; allocates nothing from the heap, so it may be started from the scheduler's stack. A
// null argument chain is fine.
void start_internal_fiber(std::string_view name, void (*run)(void*), void* argument) noexcept;

// At the end of a run, once it says so and before all fibers are gone through: who is started meanwhile is seen, or
// finds out (catch_up_with_end in spawn.cpp).
void see_fibers_under_way() noexcept;

}  // namespace weft::runtime
