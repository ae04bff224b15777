// The first frame of every fiber: what make_fcontext is given, and what it calls.
//
// weft_fiber_entry receives the transfer_t in the registers in which a first argument arrives, where jump_fcontext
// leaves it, and passes it on untouched. It is assembly for one reason: in its unwind table the return address is
// undefined. Unwinding therefore ends there cleanly. An exception without a handler calls std::terminate with every
// frame still in place, backtrace() and debuggers stop, instead of reading on into whatever make_fcontext left above.
// For walkers by frame pointer, the frame pointer is null.
#pragma once

#include <boost/context/detail/fcontext.hpp>

extern "C" {

[[noreturn]] void weft_fiber_entry(boost::context::detail::transfer_t from);

// Defined by the fiber layer. It never returns: a finished fiber switches away for the last time.
[[noreturn]] void weft_fiber_main(boost::context::detail::transfer_t from);
}
