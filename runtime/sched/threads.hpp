// The runtime's threads: workers, the monitor, and the spawner, which makes more workers when all are blocked or wait
// with fibers of their own; a worker never makes one.
#pragma once
#include <cstddef>
#include <string>

#include "runtime/sched/worker.hpp"

namespace weft::runtime {

void start_worker_threads(unsigned count);  // more of them; throws std::system_error
void start_service_threads();               // the monitor, and the spawner of more workers
// A sleeping worker will wake on the CPU that the calling thread is about to leave, whatever the kernel would think
// best: placed beside another busy thread it would wait for milliseconds. It undoes that itself when it is awake.
void move_here(worker*) noexcept;
void move_back_slow(worker*) noexcept;
inline void move_back(worker* m) noexcept {
  if (m->moved) move_back_slow(m);
}
void stop_threads() noexcept;  // wakes and joins all; the phase is `stopping`

// A thread that lives as long as the process and counts as the runtime's; it gets no signals. Throws std::system_error.
void start_service_thread(const char* name, void (*run)(void*), void* argument);

// How many threads of this process are not the runtime's and not the one that called run.
std::size_t count_foreign_threads();

}  // namespace weft::runtime
