// From an interrupted place, or a parked fiber's, up through its callers, for signal handlers: by the unwind tables,
// within a given part of the stack, with no load outside it.
//
// The first frame is where the signal struck, so its row is that of the very counter, in a prologue as well as
// anywhere. The others have called: their counter is a return address, which may be the next function's when the call
// does not return, so the row is that of the byte before it.
#pragma once
#include <ucontext.h>

#include <cstdint>

#include "runtime/event/unwind_table.hpp"

namespace weft::runtime {

class frame_walk {
 public:
  // The stack between the interrupted stack pointer and `high` may be read. Whether the interrupted stack pointer lies
  // there at all is the caller's to know.
  frame_walk(const ucontext_t& interrupted, std::uintptr_t high) noexcept;

  // From a parked fiber's frame; the stack from `low` up to `high` may be read.
  frame_walk(const arch::parked_frame&, std::uintptr_t low, std::uintptr_t high) noexcept;

  // The place in the current frame's code, by which to ask for its function and its object file.
  std::uintptr_t place() const noexcept { return first_ ? pc_ : pc_ - 1; }
  std::uintptr_t pc() const noexcept { return pc_; }
  std::uintptr_t sp() const noexcept { return registers_[arch::k_dwarf_sp]; }

  // Reads the current frame's entry; false: there is none that is understood.
  bool read() noexcept;
  const unwind_entry& entry() const noexcept { return entry_; }  // after read
  // To the caller; false: the stack's readable part ends here, or the tables are not understood.
  bool step() noexcept;

 private:
  bool load(std::uintptr_t address, std::uintptr_t& value) const noexcept;
  bool known(int r) const noexcept { return (known_ >> r & 1) != 0; }
  bool frame_address(std::uintptr_t& cfa) const noexcept;
  bool evaluate(const unwind_expression&, bool with_cfa, std::uintptr_t cfa, std::uintptr_t& value) const noexcept;
  bool recover(int r, std::uintptr_t cfa, std::uintptr_t& value) const noexcept;

  const std::uintptr_t low_;
  const std::uintptr_t high_;
  std::uintptr_t pc_;
  bool first_;
  std::uint64_t known_;  // registers whose value is
  std::uintptr_t registers_[arch::k_dwarf_registers];
  unwind_entry entry_;
};

}  // namespace weft::runtime
