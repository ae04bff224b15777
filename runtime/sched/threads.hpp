// The runtime's threads: workers and the monitor. Made by run, by the monitor when workers are blocked in the kernel,
// never by a worker.
#pragma once
#include <cstddef>
#include <string>

namespace weft::runtime {

void start_worker_threads(unsigned count);  // more of them; throws std::system_error
void start_monitor();
void stop_threads() noexcept;  // wakes and joins all; the phase is `stopping`

// How many threads of this process are not the runtime's and not the one that called run.
std::size_t count_foreign_threads();

}  // namespace weft::runtime
