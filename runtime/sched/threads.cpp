#include "runtime/sched/threads.hpp"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <thread>

#include "runtime/sched/monitor.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/switch.hpp"
#include "runtime/stack/overflow.hpp"

namespace weft::runtime {
namespace {

atomic<unsigned> service_threads{0};

std::thread& monitor_thread() noexcept {
  static std::thread* const t = new std::thread;
  return *t;
}

void prepare_thread(const char* name) noexcept {
  ::pthread_setname_np(::pthread_self(), name);
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0, 0,
          0);  // nanoseconds; the default of 50 us is added to every sleep of the time keeper
}

// SIGURG may be blocked in the thread that called run: the new one inherits that.
void unblock_preempt_signal() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGURG);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void worker_thread(worker* m) noexcept {
  prepare_thread("weft-worker");
  const alternate_stack for_signals;
  unblock_preempt_signal();
  m->thread_id.store(::gettid(), release);
  worker_main(m);
  m->thread_id.store(0, release);
}

}  // namespace

void start_worker_threads(unsigned count) {
  scheduler& s = sched();
  for (unsigned i = 0; i < count; ++i) {
    auto m = std::make_unique<worker>();
    m->thread = std::thread(worker_thread, m.get());  // may throw: then there is no such worker
    const std::lock_guard hold(s.lock);
    m->next_all = s.all_workers;
    s.all_workers = m.release();
    ++s.worker_count;
  }
}

void start_monitor() {
  monitor_thread() = std::thread([] {
    prepare_thread("weft-monitor");
    monitor_main();
  });
}

void stop_threads() noexcept {
  scheduler& s = sched();
  s.monitor_wake.post();
  if (monitor_thread().joinable()) monitor_thread().join();
  for (worker* m = s.all_workers; m != nullptr; m = m->next_all) m->wake.post();
  // All before any goes: the last ones may still be handing processors to the first.
  for (worker* m = s.all_workers; m != nullptr; m = m->next_all)
    if (m->thread.joinable()) m->thread.join();
  while (worker* m = s.all_workers) {
    s.all_workers = m->next_all;
    delete m;
  }
  s.worker_count = 0;
  s.idle_workers = nullptr;
  s.time_keeper = nullptr;
}

void start_service_thread(const char* name, void (*run)(void*), void* argument) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // the new thread inherits it
  const auto restore = [&] { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); };
  try {
    std::thread([=] {
      prepare_thread(name);
      run(argument);
    }).detach();
  } catch (...) {
    restore();
    throw;
  }
  restore();
  service_threads.fetch_add(1, acq_rel);
}

std::size_t count_foreign_threads() {
  std::size_t tasks = 0;
  if (DIR* d = ::opendir("/proc/self/task")) {
    while (const dirent* e = ::readdir(d))
      if (e->d_name[0] != '.') ++tasks;
    ::closedir(d);
  }
  // And the monitor, and the thread that called run.
  const std::size_t ours = sched().worker_count + service_threads.load(acquire) + 2;
  return tasks > ours ? tasks - ours : 0;
}

}  // namespace weft::runtime
