// arch: all that differs from one CPU to the next. Nothing outside this folder asks which CPU it is on.
//
// A CPU's folder defines, under the same names:
//   cpu.hpp        arch::pause()        tells the core that it spins (and yields to its sibling thread)
//                  arch::cycle_clock()  a counter that runs at a constant rate and is cheap to read; unordered, per
//                  machine, in ticks
//   signal_frame.hpp  arch::frame_pc(), frame_sp(), set_frame_pc()   of the code that a signal interrupted
//                  arch::frame_in_system_call()  the interrupted code was in a system call; its counter must lie in
//                  readable code
//                  arch::frame_at_system_call()  the call is still to be made, or made again; which one, its arguments
//                  from 0, and skip_system_call(), in place of which it gives the result
//                  arch::resume_at()    the thread goes on there with that stack pointer, as if a function called from
//                  there had just returned: no vector or flag state of the interrupted code but what that may leave
//                  arch::frame_registers()  by DWARF's numbers, of which k_dwarf_sp is the stack pointer's and which
//                  dwarf_callee_saved() a caller finds as they were; plain_code_address() is a return address without
//                  its signature
//   inject_call.hpp   arch::inject_call()   as if the interrupted code had called f, a function that keeps to the ABI:
//                  a copy of the signal's frame goes below its stack pointer, and the frame itself is changed to lead
//                  into f. When f returns, on whatever thread, it returns to `restorer`, the handler's own return
//                  address, and so the thread goes on from the copy. Its alternate stack is not the copy's affair.
//                  False, with nothing changed: no room above `low`; state that belongs to the thread, or that another
//                  thread might not take; the handler was not called by the kernel
//                  arch::prepare_inject_call()   once, before any handler calls it
//   parked_frame.hpp  arch::parked_frame   the registers, by DWARF's numbers, of what jump_fcontext switched away from
//   fiber_entry.S  weft_fiber_entry          the first frame of every fiber, see fiber_entry.hpp
//   jump.S         weft_jump                 the switch, see jump.hpp
//   interruptible.S  weft_interruptible      the trampoline of interruptible(f), see interruptible.hpp
//   cancelable_syscall.S  weft_cancelable_syscall   see cancelable_syscall.hpp
// To port: make the folder, define these, name it below.
#pragma once

#include <concepts>
#include <cstdint>

#if defined(__x86_64__)
#include "arch/x86_64/cpu.hpp"
#include "arch/x86_64/inject_call.hpp"
#include "arch/x86_64/parked_frame.hpp"
#include "arch/x86_64/signal_frame.hpp"
#elif defined(__aarch64__)
#include "arch/aarch64/cpu.hpp"
#include "arch/aarch64/inject_call.hpp"
#include "arch/aarch64/parked_frame.hpp"
#include "arch/aarch64/signal_frame.hpp"
#else
#error "weft: no folder under arch/ for this CPU"
#endif

namespace weft::arch {

static_assert(noexcept(pause()) && noexcept(cycle_clock()));
static_assert(std::same_as<decltype(cycle_clock()), std::uint64_t>);

}  // namespace weft::arch
