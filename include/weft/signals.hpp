// Signals of the operating system, as values in a channel or as a cancel: Go's os/signal.
#pragma once
#include <initializer_list>

#include "weft/channel.hpp"
#include "weft/context.hpp"

// All may be called from any thread, before, in and after a run; none blocks. A registration belongs to the process,
// not to a run. While a signal is registered anywhere, what it did before (its default action, an earlier handler) does
// not happen; when its last registration ends, that is put back. One that arrives in between is sent to the earlier
// handler anew. Several of a number that arrive before one is delivered count as one, as ever. While anything is
// registered, no deadlock is reported.
//
// An empty list means every signal that can be registered. Throws std::logic_error for a number that is none, for
// SIGKILL and SIGSTOP, for those that an instruction raises (SIGSEGV, SIGBUS, SIGFPE, SIGILL) and for SIGURG, which is
// weft's; std::system_error when the thread that delivers while no runtime runs cannot be started.
namespace weft::signals {

// Sends each signal's number on `c`, and drops it when that would block: give the channel room. Called again, adds to
// the signals of `c`. The channel is kept until stop(); what a closed one would get is dropped. A null one throws
// std::logic_error.
WEFT_API void notify(const send_chan<int>& c, std::initializer_list<int> which);

// Ends what notify(c, …) began. When it returns, every signal that had arrived before is in the channel or dropped, and
// no more will be sent.
WEFT_API void stop(const send_chan<int>& c);

// A context below `parent`, cancelled when one of the signals arrives, with a std::system_error that names the signal
// as the cause. The registration ends when `cancel` is called or destroyed, or the parent cancelled; not with the first
// signal: call cancel() after it, and a second one has its earlier effect.
[[nodiscard]] WEFT_API cancelable notify_context(const context& parent, std::initializer_list<int> which);

}  // namespace weft::signals
