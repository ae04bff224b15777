// Where a fiber that waits stands: its callers, by the unwind tables.
#pragma once

#include <cstdint>

#include "runtime/base/fatal.hpp"
#include "runtime/fiber/fiber.hpp"

namespace weft::runtime {

// "program(+0x1234)", which addr2line -Cfie program 0x1234 turns into function and line.
void write_place(report&, std::uintptr_t) noexcept;

// On standard error, a line a frame, innermost first: "    program(+0x1234)", which addr2line -Cfie program 0x1234
// turns into function and line. Nothing for a fiber that does not wait. No allocation, no lock: as usable as a report.
//
// The fiber may be woken meanwhile, and its frames be overwritten: no load leaves its stack, and what was read is
// thrown away unless it has waited throughout. Under ThreadSanitizer, to whom that is a race, nothing is written.
void write_stack(const fiber&) noexcept;

}  // namespace weft::runtime
