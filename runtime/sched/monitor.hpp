// The monitor: a thread without a processor that sees to it that nobody is held up. It never allocates or takes a lock
// that user code can hold while it looks.
#pragma once

namespace weft::runtime {

void monitor_main() noexcept;

// Wakes the monitor from its deep sleep; for whoever takes up a processor after an idle time.
void monitor_needed() noexcept;

// What the monitor calls when nothing can ever run again: reports and ends the process. Set by the layer that can
// (observe).
using deadlock_handler = void (*)() noexcept;
void set_deadlock_handler(deadlock_handler) noexcept;

// Whether some wait could be ended from outside weft: a signal, a descriptor.
void expect_outside_event() noexcept;
void forget_outside_event() noexcept;

}  // namespace weft::runtime
