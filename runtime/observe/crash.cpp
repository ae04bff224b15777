#include "runtime/observe/crash.hpp"

#include <cxxabi.h>
#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string_view>
#include <typeinfo>

#include "runtime/fiber/fiber_pool.hpp"
#include "runtime/observe/snapshot.hpp"
#include "runtime/sched/monitor.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/stack/overflow.hpp"

namespace weft::runtime {
namespace {

constexpr int k_fatal_status = 2;  // Go's

std::terminate_handler earlier_terminate = nullptr;
struct sigaction earlier_quit{};

// For the handler of SIGSEGV: no allocation.
void describe_overflow(const stack& overflowed, char* out, std::size_t size) {
  report text;
  fibers().for_each([&](const fiber& f) {
    if (f.stack != &overflowed || !is_live(f)) return;
    char name[fiber::k_label_size];
    text << "fiber " << f.id.load(relaxed) << " '" << std::string_view(name, f.copy_label(name)) << "', spawned at ";
    describe_site(text, f);
  });
  if (text.text().empty()) text << "a fiber";
  const std::size_t n = std::min(size - 1, text.text().size());
  std::memcpy(out, text.text().data(), n);
  out[n] = '\0';
  text.discard();
}

void report_exception(report& out) noexcept {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) {
    out << "std::terminate was called";
    return;
  }
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type->name(), nullptr, nullptr, &status),
                                                    &std::free);
  out << "uncaught exception of type " << std::string_view(name != nullptr ? name.get() : type->name());
  try {
    throw;
  } catch (const std::exception& e) {
    out << ": " << std::string_view(e.what());
  } catch (...) {
    // of a type that says nothing more
  }
}

// The exception found no handler, so the stack is still the thrower's.
[[noreturn]] void on_terminate() {
  if (const fiber* f = running_fiber()) {
    {
      report out;
      out << "weft: ";
      report_exception(out);
      out << " in ";
      describe(out, *f);
      out << '\n';
    }
    std::array<void*, 64> frames;
    ::backtrace_symbols_fd(frames.data(), ::backtrace(frames.data(), frames.size()), 2);
  }
  if (earlier_terminate != nullptr) earlier_terminate();
  std::abort();
}

void on_quit(int) {
  dump_to_stderr("weft: SIGQUIT");
  ::_exit(k_fatal_status);
}

void on_deadlock() noexcept {
  dump_to_stderr("weft: fatal: all fibers are asleep - deadlock!");
  ::_exit(k_fatal_status);
}

}  // namespace

crash_reports::crash_reports() {
  void* warm = nullptr;
  ::backtrace(&warm, 1);  // loads libgcc now: later there may be no memory for it
  install_overflow_handler(&describe_overflow);
  earlier_terminate = std::set_terminate(&on_terminate);
  set_deadlock_handler(&on_deadlock);
  struct sigaction action{};
  action.sa_handler = &on_quit;
  action.sa_flags = SA_ONSTACK | SA_RESTART;
  ::sigaction(SIGQUIT, nullptr, &earlier_quit);
  if (earlier_quit.sa_handler == SIG_DFL) ::sigaction(SIGQUIT, &action, nullptr);  // a user's own handler stays
}

crash_reports::~crash_reports() {
  std::set_terminate(earlier_terminate);
  if (earlier_quit.sa_handler == SIG_DFL) ::sigaction(SIGQUIT, &earlier_quit, nullptr);
}

}  // namespace weft::runtime
