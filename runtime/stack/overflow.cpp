// The report of a stack overflow: see overflow.hpp.
#include "runtime/stack/overflow.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>

#include "runtime/base/atomic.hpp"
#include "runtime/base/fatal.hpp"
#include "runtime/stack/slab.hpp"

namespace weft::runtime {
namespace {

using describe_function = void (*)(const stack&, char*, std::size_t);

constinit atomic<describe_function> g_describe{nullptr};
struct sigaction g_segv_before, g_bus_before;  // written before the handler is in place
constinit std::mutex g_installing;
constinit bool g_installed = false;

void report_overflow(const stack& overflowed) noexcept {
  char who[256] = "a fiber";
  if (const describe_function describe = g_describe.load(acquire)) describe(overflowed, who, sizeof who);
  who[sizeof who - 1] = '\0';
  report() << "weft: stack overflow in " << std::string_view(who) << ", stack size " << std::uint64_t{overflowed.size}
           << " bytes; raise spawn_options::stack_size or WEFT_STACK_SIZE\n";
}

// A fault comes again when the handler returns and then meets the default action; a signal that somebody sent must be
// sent again.
void die_by(int signal, const siginfo_t& info) noexcept {
  struct sigaction by_default{};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(signal, &by_default, nullptr);
  if (info.si_code <= 0) ::raise(signal);
}

void hand_on(int signal, siginfo_t* info, void* frame) noexcept {
  const struct sigaction& before = signal == SIGSEGV ? g_segv_before : g_bus_before;
  if ((before.sa_flags & SA_SIGINFO) != 0) return before.sa_sigaction(signal, info, frame);
  const bool sent = info->si_code <= 0;
  if (before.sa_handler == SIG_DFL || (before.sa_handler == SIG_IGN && !sent)) return die_by(signal, *info);
  if (before.sa_handler != SIG_IGN) before.sa_handler(signal);
}

void on_fault(int signal, siginfo_t* info, void* frame) noexcept {
  const int error = errno;
  const stack* overflowed = info->si_code > 0 ? stack_of_guard(info->si_addr) : nullptr;
  if (overflowed != nullptr) {
    report_overflow(*overflowed);
    die_by(signal, *info);
  } else {
    hand_on(signal, info, frame);
  }
  errno = error;
}

void install(int signal, struct sigaction& before) {
  struct sigaction ours{};
  ours.sa_sigaction = on_fault;
  ours.sa_flags = SA_ONSTACK | SA_SIGINFO;
  ::sigemptyset(&ours.sa_mask);
  ::sigaction(signal, nullptr, &before);
  ::sigaction(signal, &ours, nullptr);
}

}  // namespace

void install_overflow_handler(void (*describe)(const stack&, char*, std::size_t)) {
  g_describe.store(describe, release);
  const std::lock_guard hold(g_installing);
  if (std::exchange(g_installed, true)) return;
  install(SIGSEGV, g_segv_before);
  install(SIGBUS, g_bus_before);
}

void die_of_overflow(const stack& overflowed) noexcept {
  report_overflow(overflowed);
  std::abort();
}

void remove_overflow_handler() {
  const std::lock_guard hold(g_installing);
  if (!std::exchange(g_installed, false)) return;
  ::sigaction(SIGSEGV, &g_segv_before, nullptr);
  ::sigaction(SIGBUS, &g_bus_before, nullptr);
}

// Below it lies a guard like the fibers', by mprotect: one per thread. Where the kernel has no mapping left, none.
signal_stack::signal_stack() {
  void* memory =
      ::mmap(nullptr, k_guard_size + k_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED)
    throw std::system_error(errno, std::system_category(), "weft: no memory for a thread's signal stack");
  memory_ = static_cast<std::byte*>(memory);
  static_cast<void>(::mprotect(memory_, k_guard_size, PROT_NONE));
}
signal_stack::~signal_stack() { ::munmap(memory_, k_guard_size + k_size); }
void* signal_stack::low() const noexcept { return memory_ + k_guard_size; }

alternate_stack::alternate_stack(const signal_stack& memory) noexcept {
  stack_t ours{};
  ours.ss_sp = memory.low();
  ours.ss_size = signal_stack::k_size;
  if (::sigaltstack(&ours, &before_) != 0) fatal("sigaltstack: %s", std::strerror(errno));
}
alternate_stack::~alternate_stack() { ::sigaltstack(&before_, nullptr); }

}  // namespace weft::runtime
