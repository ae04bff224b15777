// The runtime's threads: workers and the monitor. Made by run, by the monitor when workers are blocked in the kernel,
// never by a worker.
#pragma once
#include <cstddef>
#include <string>

namespace weft::runtime {

void start_worker_threads(unsigned count);  // more of them; throws std::system_error
void start_monitor();
void stop_threads() noexcept;  // wakes and joins all; the phase is `stopping`

// A thread that lives as long as the process and counts as the runtime's; it gets no signals. Throws std::system_error.
void start_service_thread(const char* name, void (*run)(void*), void* argument);

// How many threads of this process are not the runtime's and not the one that called run.
std::size_t count_foreign_threads();

}  // namespace weft::runtime
