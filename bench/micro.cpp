// weft's side of the micro benchmarks; compare runs it against its rivals.
#include "bench/micro.hpp"

int main(int argc, char** argv) {
  using namespace bench;
  rows all;
  for (rows (*part)() : {yield_rows, spawn_rows, channel_rows, select_rows, mutex_rows, fork_join_rows, memory_rows,
                         context_rows, timer_rows, cancel_rows})
    for (row& r : part()) all.push_back(std::move(r));
  return run_rows(argc, argv, "micro", all);
}
