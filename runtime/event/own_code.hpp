// Which object file code belongs to, for signal handlers that let the interrupted frames be moved or forgotten.
#pragma once
#include <dlfcn.h>
#include <ucontext.h>

#include <cstdint>

#include "runtime/fiber/fiber.hpp"

namespace weft::runtime {

bool holds(const dl_find_object&, std::uintptr_t address) noexcept;

// An object file that libc, the allocator or the C++ runtime was linked into: then it does not tell the program's code
// from theirs.
bool holds_libraries(const dl_find_object&) noexcept;

// Whether the fiber may go on on another thread from here: it was interrupted in the object file of its entry function,
// and every frame below is of that file or weft's. So no function of another library is under way that may remember
// the thread, by a thread-local or as a lock's owner. Neither does weft's own code outside of sections but in the
// functions of `weft_same_thread`, none of which is under way; see thread_locals.hpp.
bool may_change_threads(const ucontext_t&, const fiber&) noexcept;

}  // namespace weft::runtime
