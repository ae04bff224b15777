// The rows of the micro benchmarks, one file a question.
#pragma once

#include "bench/support/rows.hpp"

namespace bench {

rows yield_rows();
rows spawn_rows();
rows channel_rows();
rows select_rows();
rows mutex_rows();
rows fork_join_rows();
rows memory_rows();
rows context_rows();
rows timer_rows();
rows cancel_rows();

}  // namespace bench
