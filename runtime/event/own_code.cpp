#include "runtime/event/own_code.hpp"

#include <cxxabi.h>
#include <gnu/libc-version.h>
#include <malloc.h>

#include "arch/fiber_entry.hpp"
#include "runtime/event/frame_walk.hpp"
#include "runtime/stack/stack.hpp"

// The linker gives a section whose name could be a variable's these two.
extern "C" const char __start_weft_same_thread[], __stop_weft_same_thread[];

namespace weft::runtime {
namespace {

constexpr int k_most_frames = 128;  // deeper fibers keep their thread

template <class T>
std::uintptr_t address_of(T* at) noexcept {
  return reinterpret_cast<std::uintptr_t>(at);
}

bool find(std::uintptr_t code, dl_find_object& found) noexcept {
  return ::_dl_find_object(reinterpret_cast<void*>(code), &found) == 0;
}

bool keeps_thread(std::uintptr_t pc) noexcept {
  return pc >= address_of(__start_weft_same_thread) && pc < address_of(__stop_weft_same_thread);
}

// Every fiber's first frame, whose table says that there is no caller.
bool is_first(std::uintptr_t place, const unwind_entry& e) noexcept {
  constexpr std::uintptr_t k_most_bytes = 64;
  const std::uintptr_t entry = address_of(&::weft_fiber_entry);
  return place >= entry && place < entry + k_most_bytes && e.row.rules[e.return_address].kind == unwind_rule::unknown;
}

}  // namespace

bool holds(const dl_find_object& o, std::uintptr_t address) noexcept {
  return address >= address_of(o.dlfo_map_start) && address < address_of(o.dlfo_map_end);
}

bool holds_libraries(const dl_find_object& o) noexcept {
  return holds(o, address_of(&::gnu_get_libc_version)) || holds(o, address_of(&::malloc_usable_size)) ||
         holds(o, address_of(&abi::__cxa_get_globals));
}

bool may_change_threads(const ucontext_t& u, const fiber& f) noexcept {
  dl_find_object own, wefts;
  if (f.body.run == nullptr || !find(address_of(f.body.run), own) || !find(address_of(&::weft_fiber_entry), wefts))
    return false;
  if (holds_libraries(own) || holds_libraries(wefts) || !holds(own, arch::frame_pc(u))) return false;
  frame_walk walk(u, address_of(f.stack->top));
  for (int i = 0; i < k_most_frames; ++i) {
    // A function that keeps the thread may have called another, not inlined.
    if (keeps_thread(walk.place()) || !(holds(wefts, walk.place()) || holds(own, walk.place()))) return false;
    if (!walk.read() || walk.entry().signal_frame) return false;
    if (is_first(walk.place(), walk.entry())) return true;
    if (!walk.step()) return false;
  }
  return false;
}

}  // namespace weft::runtime
