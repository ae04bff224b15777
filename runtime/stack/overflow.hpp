// A fiber that runs out of stack ends the process with a report that names it, in place of an unexplained segmentation
// fault.
//
// The handler runs on an alternate stack, for the fiber's own is full: each thread that runs fibers needs an
// alternate_stack. It allocates nothing and takes no lock. After the report the default action kills the process, so
// that a core file shows the fiber.
#pragma once

#include <signal.h>

#include <cstddef>

#include "runtime/stack/stack.hpp"

namespace weft::runtime {

// `describe` writes into `out`, ended by a zero, which fiber runs on the stack ("fiber 7 \"worker\""); it is called in
// the signal handler. Handlers for SIGSEGV and SIGBUS that were there before see every fault that is not in a guard.
// Idempotent: the first call installs, later ones only change `describe`.
void install_overflow_handler(void (*describe)(const stack& overflowed, char* out, std::size_t size));

// The same report for an open stack (guard.hpp), found to have overflowed as its fiber ends.
[[noreturn]] void die_of_overflow(const stack& overflowed) noexcept;

// For tests: the handlers that were there before come back.
void remove_overflow_handler();

// The memory, made by whoever makes the thread: he can be told that there is none.
class signal_stack {
 public:
  static constexpr std::size_t k_size = std::size_t{64} << 10;

  signal_stack();  // throws std::system_error where there is no memory
  signal_stack(const signal_stack&) = delete;
  signal_stack& operator=(const signal_stack&) = delete;
  ~signal_stack();
  void* low() const noexcept;

 private:
  std::byte* memory_;
};

// The calling thread's signal stack while this lives; the one before comes back after. Ends on the thread that made it.
class alternate_stack {
 public:
  explicit alternate_stack(const signal_stack&) noexcept;
  alternate_stack(const alternate_stack&) = delete;
  alternate_stack& operator=(const alternate_stack&) = delete;
  ~alternate_stack();

 private:
  stack_t before_;
};

}  // namespace weft::runtime
