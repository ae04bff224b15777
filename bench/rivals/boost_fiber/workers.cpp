// Idle threads sleep, as weft's and Go's do. The C library is told to keep freed memory, so that Boost.Fiber's stacks
// are reused too: by default it gives each back to the kernel, and a spawn then costs 11 us.
#include "bench/rivals/boost_fiber/workers.hpp"

#include <malloc.h>

#include <boost/fiber/algo/work_stealing.hpp>
#include <boost/fiber/condition_variable.hpp>
#include <boost/fiber/mutex.hpp>
#include <boost/fiber/operations.hpp>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace rival {
namespace {

using boost::fibers::algo::work_stealing;

struct {
  unsigned processors = 0;
  std::vector<std::thread> threads;
  boost::fibers::mutex lock;
  boost::fibers::condition_variable changed;
  bool stop = false;
} pool;

void work(unsigned processors) {
  boost::fibers::use_scheduling_algorithm<work_stealing>(processors, true);
  std::unique_lock hold(pool.lock);
  pool.changed.wait(hold, [] { return pool.stop; });
}

}  // namespace

void use_processors(unsigned processors) {
  if (pool.processors == processors) return;
  if (pool.processors != 0)
    throw std::runtime_error("Boost.Fiber: one number of processors a process; give --processors");
  pool.processors = processors;
  ::mallopt(M_TRIM_THRESHOLD, -1);
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_ARENA_MAX, 1);
  if (processors == 1) return;
  for (unsigned i = 1; i < processors; ++i) pool.threads.emplace_back(work, processors);
  boost::fibers::use_scheduling_algorithm<work_stealing>(processors, true);  // waits for the others
}

void stop_workers() {
  {
    const std::lock_guard hold(pool.lock);
    pool.stop = true;
  }
  pool.changed.notify_all();
  for (std::thread& t : pool.threads) t.join();
}

}  // namespace rival
