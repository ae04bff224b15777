// Work that takes so long when nothing disturbs it: a loop of so many turns, measured once in the process.
#pragma once

#include <chrono>

namespace bench {

void work_for(std::chrono::nanoseconds);
void measure_work();  // once, before the first work_for

}  // namespace bench
