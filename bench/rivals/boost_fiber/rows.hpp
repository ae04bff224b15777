// The questions of bench/micro*.cpp that Boost.Fiber has an answer to.
#pragma once

#include "bench/support/rows.hpp"

namespace rival {

bench::rows fiber_rows();    // yield, spawn, mutex, fork and join, memory
bench::rows channel_rows();  // channels, sleepers, cancellation

}  // namespace rival
