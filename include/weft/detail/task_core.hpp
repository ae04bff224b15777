// What a task's fiber and its handle share, but for the value.
//
// Each of the two lets go of it once, and the second deletes it. There is no count: one word says where the fiber is,
// whether the handle is still there, and who waits.
#pragma once
#include <cstdint>
#include <exception>
#include <new>

#include "weft/channel.hpp"
#include "weft/detail/atomic_of.hpp"
#include "weft/detail/own_context.hpp"

namespace weft::detail {

struct task_core {
  explicit task_core(const context& parent) noexcept : own(parent) {}
  // Not the ones that are told the size: Debian's jemalloc verifies it, and takes twice as long for that.
  static void operator delete(void* p) noexcept { ::operator delete(p); }
  static void operator delete(void* p, std::align_val_t alignment) noexcept { ::operator delete(p, alignment); }

  own_context own;
  std::exception_ptr error;
  atomic_of<std::uintptr_t> word{0};  // runtime/sync/task_core.cpp
  std::uint32_t generation = 0;       // of the wait of whoever is in the word
  enum class done_channel : std::uint8_t { none, begun, made };
  atomic_of<done_channel> has_over{done_channel::none};
  recv_chan<void> over;  // made when done() is first asked for
};

// The fiber's part, when nothing but destructors is left to run: the task's context goes, whoever waits wakes. What was
// written before is seen by everyone who has waited. False: the handle has let go, the caller deletes.
[[nodiscard]] WEFT_API bool end_task(task_core&) noexcept;

// The handle's part. By one thread at a time; several may be in done_of, but not beside the others.
// Blocks until the fiber is through with it. True then. With a context: false when that ended first; without: throws
// canceled for the bound one.
WEFT_API bool await_task(task_core&, const context* ctx);
WEFT_API void outlast_task(task_core&) noexcept;  // the same, and nothing cuts it short
WEFT_API const recv_chan<void>& done_of(task_core&);
// True: the fiber had let go before, the caller deletes.
[[nodiscard]] WEFT_API bool let_go_of(task_core&) noexcept;

}  // namespace weft::detail
