#include "runtime/event/preempt_signal.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "weft/detail/config.hpp"

namespace weft::runtime {
namespace {

constinit atomic<preempt_function> on_preempt{nullptr};
constinit std::mutex installing;
struct sigaction before;  // written before the handler is in place

void hand_on(int signal, siginfo_t* info, void* frame) noexcept {
  if ((before.sa_flags & SA_SIGINFO) != 0) return before.sa_sigaction(signal, info, frame);
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) before.sa_handler(signal);  // by default: ignored
}

[[gnu::noinline]] void on_signal(int signal, siginfo_t* info, void* frame) noexcept {
  const auto restorer = reinterpret_cast<std::uintptr_t>(__builtin_extract_return_addr(__builtin_return_address(0)));
  const int error = errno;
  worker* m = this_worker();
  const bool marked = info->si_code == SI_TIMER || info->si_code == SI_QUEUE;
  const bool ours = m != nullptr && marked && info->si_value.sival_ptr == m;
  // Whosever it is: of two that are pending the kernel keeps the first alone, so this one may stand for ours too.
  const bool expected = m != nullptr && view_of(m).signalled.exchange(false, acq_rel);
  if (!ours) hand_on(signal, info, frame);
  if (ours || expected) on_preempt.load(acquire)(m, *static_cast<ucontext_t*>(frame), restorer);
  errno = error;
}

}  // namespace

void install_preempt_signal(preempt_function f) {
  const std::lock_guard hold(installing);
  if (on_preempt.exchange(f, acq_rel) != nullptr) return;
  struct sigaction ours{};
  ours.sa_sigaction = on_signal;
  ours.sa_flags = SA_ONSTACK | SA_SIGINFO | SA_RESTART;
  ::sigemptyset(&ours.sa_mask);
  ::sigaction(SIGURG, nullptr, &before);
  ::sigaction(SIGURG, &ours, nullptr);
}

void remove_preempt_signal() {
  const std::lock_guard hold(installing);
  if (on_preempt.load(acquire) == nullptr) return;
  ::sigaction(SIGURG, &before, nullptr);
  on_preempt.store(nullptr, release);
}

void send_preempt_signal(worker_view& m) noexcept {
  if (WEFT_TSAN) return;  // it delivers signals late, with a frame that is no longer true
  const int thread = m.thread_id.load(acquire);
  if (thread == 0 || m.signalled.exchange(true, acq_rel)) return;
  const int error = errno;
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  info.si_value.sival_ptr = &m;
  if (::syscall(SYS_rt_tgsigqueueinfo, info.si_pid, thread, SIGURG, &info) != 0)
    m.signalled.store(false, release);  // it has ended
  errno = error;
}

}  // namespace weft::runtime
