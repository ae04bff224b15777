#include "runtime/base/thread_locals.hpp"

#include <cxxabi.h>

namespace weft::runtime {

constinit thread_local worker* worker_here = nullptr;

namespace {

constinit thread_local fiber* foreign_here = nullptr;

struct foreign_exit {
  void (*run)(fiber*) noexcept = nullptr;
  ~foreign_exit() {
    if (run == nullptr) return;
    run(foreign_here);  // destructors it runs still find it
    foreign_here = nullptr;
  }
};
thread_local foreign_exit exit_here;

}  // namespace

[[gnu::noinline, gnu::section("weft_same_thread")]] worker* this_worker() noexcept { return this_worker_inline(); }

[[gnu::noinline]] void set_this_worker(worker* m) noexcept {
  not_pure();
  worker_here = m;
}

[[gnu::noinline]] fiber* this_foreign_fiber() noexcept {
  not_pure();
  return foreign_here;
}

[[gnu::noinline]] void set_this_foreign_fiber(fiber* f, void (*at_exit)(fiber*) noexcept) noexcept {
  not_pure();
  foreign_here = f;
  exit_here.run = at_exit;
}

[[gnu::noinline]] __cxa_eh_globals_view* this_thread_exceptions() noexcept {
  not_pure();
  return reinterpret_cast<__cxa_eh_globals_view*>(abi::__cxa_get_globals());
}

}  // namespace weft::runtime
