// Whether this process has come to rest: the proof that fibers are parked and not merely about to park.
//
// A fiber that counts itself and then waits may, once the count is complete, still be running between the two on
// another worker, or its worker may have been taken off its CPU there. Neither is so when the kernel reports every
// other thread as sleeping: a worker sleeps only after it found nothing to run, and a thread that is runnable but off
// its CPU is reported as running. The same test serves every runtime, since it asks the kernel.
#pragma once

#include <chrono>

namespace bench {

// True once two looks in a row found every other thread of this process asleep; false if that did not happen in time.
bool others_asleep(std::chrono::milliseconds limit);

}  // namespace bench
