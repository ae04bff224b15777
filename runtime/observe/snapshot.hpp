// What can be said of a fiber from outside while it goes on: each field is read once and may be a moment old.
#pragma once
#include <cstdint>
#include <string_view>

#include "runtime/base/fatal.hpp"
#include "runtime/fiber/fiber.hpp"

namespace weft::runtime {

enum class fiber_state : std::uint8_t { unstarted, runnable, running, waiting };
std::string_view name_of(fiber_state) noexcept;

fiber_state state_of(const fiber&) noexcept;
bool is_live(const fiber&) noexcept;                         // a fiber, begun and not ended
bool is_member(const fiber&, const bubble_state&) noexcept;  // of the bubble, and not its driver

// "fiber 7 'name', waiting: channel receive for 20 ms, spawned at main.cpp:3". No allocation.
void describe(report&, const fiber&) noexcept;
void describe_site(report&, const fiber&) noexcept;

// All live fibers, or those of a bubble, a line each, on standard error, with the stacks of the first hundred. Usable
// when nothing else is.
void dump_to_stderr(std::string_view headline, const bubble_state* of = nullptr) noexcept;

}  // namespace weft::runtime
