#include "runtime/event/preempt_signal.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "runtime/sched/worker.hpp"
#include "tests/support/support.hpp"

using namespace weft::runtime;

namespace {

std::atomic<int> theirs{0}, ours{0};
std::atomic<worker*> told{nullptr};

void count_theirs(int) { theirs.fetch_add(1); }
void count_ours(worker* m, ucontext_t&, std::uintptr_t) noexcept {
  ours.fetch_add(1);
  told.store(m);
  errno = EDOM;
}

// This thread passes for a worker; a handler was there before ours.
struct installed {
  worker m;
  struct sigaction before{};
  installed() {
    theirs = ours = 0;
    told = nullptr;
    struct sigaction mine{};
    mine.sa_handler = count_theirs;
    ::sigaction(SIGURG, &mine, &before);
    install_preempt_signal(count_ours);
    m.thread_id.store(::gettid());
    set_this_worker(&m);
  }
  ~installed() {
    set_this_worker(nullptr);
    remove_preempt_signal();
    ::sigaction(SIGURG, &before, nullptr);
  }
};

}  // namespace

TEST_CASE("preempt_signal: one of ours reaches the worker, with errno kept") {
  if (WEFT_TSAN) return;  // none is sent there
  installed here;
  errno = ERANGE;
  send_preempt_signal(here.m);
  const int error = errno;
  CHECK(error == ERANGE);
  CHECK(ours == 1);
  CHECK(told == &here.m);
  CHECK(theirs == 0);
  CHECK(!here.m.signalled.load());
}

TEST_CASE("preempt_signal: another's goes to the handler that was there before") {
  installed here;
  ::raise(SIGURG);
  CHECK(theirs == 1);
  CHECK(ours == 0);
  set_this_worker(nullptr);  // and on a thread that is no worker
  ::raise(SIGURG);
  CHECK(theirs == 2);
}

TEST_CASE("preempt_signal: at most one is on its way") {
  if (WEFT_TSAN) return;
  installed here;
  sigset_t urgent, old;
  ::sigemptyset(&urgent);
  ::sigaddset(&urgent, SIGURG);
  ::pthread_sigmask(SIG_BLOCK, &urgent, &old);
  for (int i = 0; i < 3; ++i) send_preempt_signal(here.m);
  CHECK(ours == 0);
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  CHECK(ours == 1);
  send_preempt_signal(here.m);
  CHECK(ours == 2);
}

TEST_CASE("preempt_signal: one that is sent while the timer's is pending does not count as on its way for ever") {
  if (WEFT_TSAN) return;
  installed here;
  sigset_t urgent, old;
  ::sigemptyset(&urgent);
  ::sigaddset(&urgent, SIGURG);
  ::pthread_sigmask(SIG_BLOCK, &urgent, &old);
  siginfo_t timers{};  // as a timer's of this worker's would come
  timers.si_signo = SIGURG;
  timers.si_code = SI_TIMER;
  timers.si_value.sival_ptr = &here.m;
  REQUIRE(::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), ::gettid(), SIGURG, &timers) == 0);
  send_preempt_signal(here.m);
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  CHECK(ours >= 1);
  CHECK(!here.m.signalled.load());
  const int before = ours;
  send_preempt_signal(here.m);
  CHECK(ours == before + 1);
}

TEST_CASE("preempt_signal: to a worker without a thread nothing is sent, and nothing is left on its way") {
  installed here;
  worker idle;
  send_preempt_signal(idle);
  CHECK(!idle.signalled.load());
  CHECK(ours == 0);
}

TEST_CASE("preempt_signal: removed, the handler before is back") {
  {
    const installed here;
    remove_preempt_signal();
    ::raise(SIGURG);
    CHECK(theirs == 1);
    CHECK(ours == 0);
  }
}
