// The first frame of every fiber: what make_fcontext is given, and what it calls.
//
// weft_fiber_entry receives the transfer_t in the registers in which a first argument arrives, where jump_fcontext
// leaves it, and passes it on untouched. It is assembly for one reason: in its unwind table the return address is
// undefined. Unwinding therefore ends there cleanly. An exception without a handler calls std::terminate with every
// frame still in place, backtrace() and debuggers stop, instead of reading on into whatever make_fcontext left above.
// For walkers by frame pointer, the frame pointer is null.
//
// A finished fiber leaves from there, too: its main returns whom to jump to. All calls have then been returned from,
// and the CPU predicts the returns of the next fiber right, as after weft_jump (jump.hpp).
#pragma once

#include <boost/context/detail/fcontext.hpp>

extern "C" {

[[noreturn]] void weft_fiber_entry(boost::context::detail::transfer_t from);

// What jump_fcontext takes.
struct weft_departure {
  boost::context::detail::fcontext_t to;
  void* data;
};

// Defined by the scheduler.
weft_departure weft_fiber_main(boost::context::detail::transfer_t from);
}
