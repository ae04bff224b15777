// What a fiber does that a cancel may cut short: a record on its stack while it does it.
#pragma once
#include <cstdint>

namespace weft::detail {

enum class interrupt_kind : std::uint8_t {
  abandon,    // interruptible(f): f is left where it is
  end_calls,  // blocking(f): f's system calls end with EINTR
  leave_call  // a system call of weft's own does not happen
};

// The runtime's (runtime/sched/interrupts.hpp); here for its size alone.
struct interrupt_record {
  interrupt_record* outer;
  const void* heeded_before;
  interrupt_kind kind;
  unsigned uncaught;  // what the fiber was handling when it began, as `caught`
  const void* caught;
  const void* bound;
  std::uintptr_t code;   // abandon: where f's function begins
  std::uintptr_t frame;  // abandon: the trampoline's stack pointer, zero before there is one
  std::uintptr_t left;   // abandon: f's stack pointer where it was left
};

}  // namespace weft::detail
