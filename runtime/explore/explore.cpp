// synctest::explore: each seed in a process of its own.
//
// A child begins as its parent is, so a seed's schedule does not depend on those before it, and whatever a failure
// leaves behind, or a crash, goes with the child.
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

#include "runtime/base/fatal.hpp"
#include "runtime/explore/explorer.hpp"
#include "runtime/observe/snapshot.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/stack/overflow.hpp"
#include "weft/debug.hpp"
#include "weft/fiber.hpp"
#include "weft/runtime.hpp"

namespace weft::runtime {
namespace {

constexpr int k_failed = 3;
constexpr rlim_t k_most_seconds = 60;
constexpr int k_looks_for_leaks = 20;

// What the child has to tell, in memory that the parent sees.
struct verdict {
  long steps;
  char what[1000];
};
verdict* told = nullptr;
std::uint64_t current_seed = 0;

void note_failure(std::string_view what) noexcept {
  const std::size_t n = std::min(what.size(), sizeof told->what - 1);
  std::memcpy(told->what, what.data(), n);
  told->what[n] = '\0';
  told->steps = the_explorer().steps();
}

void write_failure(std::string_view what) noexcept {
  note_failure(what);
  {
    report() << "weft: explore: seed " << current_seed << ": " << what << '\n';
  }
  the_explorer().write_steps();
  report() << "  WEFT_SEED=" << current_seed << " runs this schedule again\n";
}

void on_crash(int signal) noexcept {
  write_failure(signal == SIGABRT ? "the process was aborted" : "the process crashed");
  ::_exit(k_failed);
}

void catch_crashes() {
  std::set_terminate(nullptr);
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGXCPU}) {
    struct sigaction action{};
    action.sa_handler = &on_crash;
    action.sa_flags = SA_ONSTACK | SA_RESETHAND;
    ::sigaction(signal, &action, nullptr);
  }
  const rlimit limit{k_most_seconds, k_most_seconds + 5};
  ::setrlimit(RLIMIT_CPU, &limit);
}

// Who is still there when f has returned gets a while of the schedule's time.
void await_others() {
  for (int i = 0; debug::fibers().size() > 1; ++i) {
    if (i == k_looks_for_leaks) throw std::runtime_error("fibers are left: they do not end after f has returned");
    this_fiber::sleep_for(50ms);
  }
}

[[noreturn]] void run_schedule(const synctest::explore_options& o, const std::function<void()>& f) {
  const signal_stack memory;
  const alternate_stack for_signals(memory);
  catch_crashes();
  for (const char* name : {"WEFT_PROCESSORS", "WEFT_SLICE", "WEFT_DRAIN", "WEFT_MAX_THREADS", "WEFT_PREEMPTION"})
    ::unsetenv(name);  // the options alone say what is run
  try {
    the_explorer().begin(o, current_seed);
    runtime_options options;
    options.processors = o.processors;
    options.preemption = false;
    run(options, [&] {
      try {
        f();
        await_others();
      } catch (const std::exception& e) {
        explored_failure(e.what(), true);
      } catch (...) {
        explored_failure("an exception came out of f", true);
      }
    });
    the_explorer().end();
  } catch (const std::exception& e) {
    explored_failure(e.what(), false);
  }
  told->steps = the_explorer().steps();
  ::_exit(0);
}

// False: it failed, and the verdict says why.
bool run_seed(const synctest::explore_options& o, const std::function<void()>& f) {
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::system_category(), "weft::synctest::explore: fork");
  if (child == 0) run_schedule(o, f);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  if (WIFEXITED(status) && told->what[0] == '\0')
    note_failure("the process ended with status " + std::to_string(WEXITSTATUS(status)));
  if (WIFSIGNALED(status)) note_failure("the process was ended by signal " + std::to_string(WTERMSIG(status)));
  return false;
}

}  // namespace

void explored_failure(const char* what, bool with_fibers) noexcept {
  write_failure(what);
  if (with_fibers) dump_to_stderr("  the fibers:");
  ::_exit(k_failed);
}

}  // namespace weft::runtime

namespace weft::synctest {

using namespace runtime;

exploration explore(const explore_options& given, const std::function<void()>& f) {
  if (sched().running()) throw std::logic_error("weft::synctest::explore: a runtime is running in this process");
  explore_options o = given;
  if (const char* seed = std::getenv("WEFT_SEED")) {
    o.first_seed = std::strtoull(seed, nullptr, 10);
    o.seeds = 1;
  }
  void* const shared = ::mmap(nullptr, sizeof(verdict), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) throw std::bad_alloc();
  told = ::new (shared) verdict{};
  exploration e;
  for (; e.seeds < o.seeds; ++e.seeds) {
    current_seed = o.first_seed + static_cast<std::uint64_t>(e.seeds);
    if (run_seed(o, f)) {
      e.steps += told->steps;
      continue;
    }
    e.failed = true;
    e.seed = current_seed;
    e.what = told->what;
    e.steps += told->steps;
    ++e.seeds;
    break;
  }
  ::munmap(shared, sizeof(verdict));
  return e;
}

}  // namespace weft::synctest
