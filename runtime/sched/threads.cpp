#include "runtime/sched/threads.hpp"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <thread>

#include "runtime/base/fatal.hpp"
#include "runtime/base/membarrier.hpp"
#include "runtime/sched/monitor.hpp"
#include "runtime/sched/preempt.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/switch.hpp"
#include "runtime/stack/overflow.hpp"

namespace weft::runtime {
namespace {

atomic<unsigned> service_threads{0};

std::thread& monitor_thread() {
  static std::thread* const t = new std::thread;
  return *t;
}
std::thread& spawner_thread() {
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

void retire(worker* m) noexcept {
  scheduler& s = sched();
  const std::lock_guard hold(s.lock);
  m->next_idle = s.retired_workers;
  s.retired_workers = m;
}

void worker_thread(worker* m) noexcept {
  prepare_thread("weft-worker");
  const alternate_stack for_signals(m->for_signals);
  unblock_preempt_signal();
  ::pthread_sigmask(SIG_SETMASK, nullptr, &m->mask);
  m->thread_id.store(::gettid(), release);
  make_preempt_timer(m);
  worker_main(m);
  delete_preempt_timer(m);
  m->thread_id.store(0, release);
  if (!m->retiring) return;
  sched().worker_count.fetch_sub(1, relaxed);
  retire(m);  // whoever takes it waits for this thread's end
}

// One whose thread has ended, or a new one. Under no lock: it allocates.
worker* take_worker() {
  scheduler& s = sched();
  worker* m = nullptr;
  {
    const std::lock_guard hold(s.lock);
    m = s.retired_workers;
    if (m != nullptr) s.retired_workers = m->next_idle;
  }
  if (m != nullptr) {
    m->thread.join();
    m->retiring = false;
    m->signalled.store(false, relaxed);
    return m;
  }
  m = new worker;
  if (!has_membarrier()) m->hold.store(worker::k_no_membarrier, relaxed);
  const std::lock_guard hold(s.lock);
  m->next_all = s.all_workers.load(relaxed);
  s.all_workers.store(m, release);
  return m;
}

bool spare_wanted() noexcept {
  scheduler& s = sched();
  const std::lock_guard hold(s.lock);
  return s.idle_workers == nullptr && s.starting_workers.load(relaxed) == 0;
}

// Makes threads when there is none to take a processor over. A thread of its own: making one allocates.
void spawner_main() noexcept {
  scheduler& s = sched();
  bool reported = false;
  for (;;) {
    s.spawner_wake.wait();
    if (s.phase.load(acquire) == run_phase::stopping) return;
    if (!spare_wanted()) continue;
    if (s.worker_count.load(relaxed) >= s.config.max_threads) {
      if (!std::exchange(reported, true))
        report() << "weft: max_threads (" << std::uint64_t{s.config.max_threads}
                 << ") reached: blocked and preempted fibers hold them all; others may have to wait\n";
      continue;
    }
    try {
      start_worker_threads(1);
    } catch (const std::exception&) {
      // as many threads as the system gives; it is asked again when one is wanted again
    }
  }
}

}  // namespace

void start_worker_threads(unsigned count) {
  scheduler& s = sched();
  for (unsigned i = 0; i < count; ++i) {
    worker* m = take_worker();
    s.starting_workers.fetch_add(1, seq_cst);
    m->starting = true;
    try {
      m->thread = std::thread(worker_thread, m);
    } catch (...) {
      s.starting_workers.fetch_sub(1, seq_cst);
      retire(m);
      throw;
    }
    // Only now: counted before it is there it would hide a foreign thread from count_foreign_threads.
    s.worker_count.fetch_add(1, acq_rel);
  }
}

void start_service_threads() {
  monitor_thread() = std::thread([] {
    prepare_thread("weft-monitor");
    monitor_main();
  });
  spawner_thread() = std::thread([] {
    prepare_thread("weft-spawner");
    spawner_main();
  });
}

void move_here(worker* m) noexcept {
  const int thread = m->thread_id.load(acquire);
  const int cpu = ::sched_getcpu();
  if (cpu < 0 || ::sched_getaffinity(thread, sizeof m->cpus, &m->cpus) != 0 || !CPU_ISSET(cpu, &m->cpus)) return;
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(cpu, &here);
  m->moved = ::sched_setaffinity(thread, sizeof here, &here) == 0;
}

void move_back_slow(worker* m) noexcept {
  m->moved = false;
  ::sched_setaffinity(0, sizeof m->cpus, &m->cpus);
}

void stop_threads() noexcept {
  scheduler& s = sched();
  s.monitor_wake.post();
  if (monitor_thread().joinable()) monitor_thread().join();
  s.spawner_wake.post();
  if (spawner_thread().joinable()) spawner_thread().join();
  worker* const all = s.all_workers.load(acquire);
  for (worker* m = all; m != nullptr; m = m->next_all) m->wake.post();
  // All before any goes: the last ones may still be handing processors to the first.
  for (worker* m = all; m != nullptr; m = m->next_all)
    if (m->thread.joinable()) m->thread.join();
  for (worker* m = all; m != nullptr;) {
    worker* next = m->next_all;
    delete m;
    m = next;
  }
  s.all_workers.store(nullptr, relaxed);
  s.worker_count.store(0, relaxed);
  s.idle_workers = nullptr;
  s.idle_worker_count = 0;
  s.retired_workers = nullptr;
  s.time_keeper = nullptr;
  s.watcher.store(nullptr, relaxed);
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
  // And the monitor, the spawner, and the thread that called run.
  const std::size_t ours = sched().worker_count.load(acquire) + service_threads.load(acquire) + 3;
  return tasks > ours ? tasks - ours : 0;
}

}  // namespace weft::runtime
