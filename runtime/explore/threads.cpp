// sched/threads.cpp where threads are explored: workers are coroutines, and there is neither monitor nor spawner.
#include "runtime/sched/threads.hpp"

#include <stdexcept>
#include <vector>

#include "runtime/explore/explorer.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/switch.hpp"

namespace weft::runtime {
namespace {

std::vector<explored_thread*>& worker_threads() {
  static std::vector<explored_thread*> all;
  return all;
}

void worker_thread(void* p) noexcept {
  auto* const m = static_cast<worker*>(p);
  m->thread_id.store(1, relaxed);
  worker_main(m);
}

}  // namespace

void start_worker_threads(unsigned count) {
  if (!the_explorer().active())
    throw std::logic_error("weft::run: this build of weft is for synctest::explore, which starts the runtime itself");
  scheduler& s = sched();
  for (unsigned i = 0; i < count; ++i) {
    auto* const m = new worker;
    m->next_all = s.all_workers.load(relaxed);
    s.all_workers.store(m, release);
    s.starting_workers.fetch_add(1, seq_cst);
    m->starting = true;
    worker_threads().push_back(the_explorer().start(&worker_thread, m));
    s.worker_count.fetch_add(1, acq_rel);
  }
}

void start_service_threads() {}

void stop_threads() noexcept {
  for (worker* m = sched().all_workers.load(acquire); m != nullptr; m = m->next_all) m->wake.post();
  for (explored_thread* t : worker_threads()) the_explorer().join(t);
}

void move_here(worker*) noexcept {}
void move_back_slow(worker*) noexcept {}

void start_service_thread(const char*, void (*)(void*), void*) {
  throw std::logic_error("weft::synctest::explore: signals and the resolver are of the world outside");
}

std::size_t count_foreign_threads() { return 0; }

}  // namespace weft::runtime
