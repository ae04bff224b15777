// The one place for thread-locals.
//
// A fiber may be resumed on another thread, and compilers keep the address of a thread-local over a call. So each is
// read through a function that is not inlined and cannot be taken for pure, and no result is kept over a switch. All
// are initial-exec: a lazily allocated one would call malloc from a signal handler.
//
// A migratable fiber may even change threads between two instructions (sched/migratable.hpp). So what a fiber does with
// its worker it does in a section, and the few functions that read this_worker() outside of one, or keep errno, stand,
// like this_worker() itself, in the program section `weft_same_thread`: while one of them is under way no fiber is made
// to leave its thread (event/own_code.hpp).
#pragma once

struct __cxa_eh_globals_view {  // the two words behind __cxa_get_globals(), Itanium C++ ABI 2.2.2
  void* caught;
  unsigned int uncaught;
};

namespace weft::runtime {

struct worker;
struct fiber;

// Without it a compiler may take the accessors for pure functions and join two calls into one.
[[gnu::always_inline]] inline void not_pure() noexcept { asm volatile("" ::: "memory"); }

worker* this_worker() noexcept;  // null on a thread that is not ours
// The same without a call, for functions of that program section, which must not be inlined themselves.
[[gnu::always_inline]] inline worker* this_worker_inline() noexcept {
  extern constinit thread_local worker* worker_here;
  not_pure();
  return worker_here;
}
void set_this_worker(worker*) noexcept;

fiber* this_foreign_fiber() noexcept;  // the control block a foreign thread waits with, or null before its first wait
// `at_exit` runs on this thread's end with that control block.
void set_this_foreign_fiber(fiber*, void (*at_exit)(fiber*) noexcept) noexcept;

__cxa_eh_globals_view* this_thread_exceptions() noexcept;

}  // namespace weft::runtime
