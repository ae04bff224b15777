// What the unwind tables (.eh_frame) say about one place in the code: where the caller's frame begins, where its
// registers are, and whether the function has anything to destroy or to catch.
//
// For signal handlers: no lock, no allocation, nothing but loads from tables that the loader mapped, found by
// _dl_find_object (glibc 2.35: "async-signal-safe"). Whatever it does not understand it refuses, for its callers may
// always answer "not here, not now".
//
// Rejected: _Unwind_Backtrace. It calls abort() on what it does not understand, follows wrong tables into unmapped
// memory, takes a lock once somebody has registered tables by hand (a JIT), and cannot be asked for the row of a place
// alone. Source: DWARF 5, section 6.4; Linux Standard Base 5.0, "Exception Frames"; libgcc's unwind-dw2.c.
#pragma once
#include <cstddef>
#include <cstdint>

#include "arch/arch.hpp"

namespace weft::runtime {

struct unwind_expression {
  const unsigned char* code = nullptr;
  std::size_t size = 0;
};

// Where the caller's value of a register is.
struct unwind_rule {
  enum kind_of : std::uint8_t { same, unknown, at_offset, at_expression };
  kind_of kind = unknown;
  std::int64_t offset = 0;       // from the frame's address
  unwind_expression expression;  // begins with the frame's address on its stack
};

struct unwind_row {
  // The frame's address: a register and an offset, or an expression.
  int cfa_register = -1;
  std::int64_t cfa_offset = 0;
  unwind_expression cfa_expression;
  unwind_rule rules[arch::k_dwarf_registers];
};

struct unwind_entry {
  unwind_row row;
  int return_address = 0;     // its register
  bool signal_frame = false;  // the caller was interrupted here, it did not call
  // Something to destroy, to catch, or not to let out. Data without a landing pad, gcc's for a noexcept function, are
  // no better: gcc leaves out the clean-ups that would only precede the end of the process.
  bool has_lsda = false;
};

// False: there is no entry for that place, or one that this reader does not understand.
bool read_unwind_entry(std::uintptr_t pc, unwind_entry&) noexcept;

}  // namespace weft::runtime
