#include "runtime/observe/parked_stack.hpp"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "runtime/base/fatal.hpp"
#include "runtime/event/frame_walk.hpp"
#include "runtime/stack/stack.hpp"

namespace weft::runtime {
namespace {

constexpr std::size_t k_most_frames = 24;

struct frames {
  std::array<std::uintptr_t, k_most_frames> places;
  std::size_t count = 0;
};

frames walk(const fiber& f) noexcept {
  frames found;
  const runtime::stack* s = f.stack;
  const auto saved = reinterpret_cast<std::uintptr_t>(f.registers);
  if (s == nullptr) return found;
  const auto low = reinterpret_cast<std::uintptr_t>(s->low), high = reinterpret_cast<std::uintptr_t>(s->top);
  if (saved < low || saved > high - arch::parked_frame::k_size) return found;
  frame_walk at(arch::parked_frame(f.registers), saved, high);
  do {
    found.places[found.count++] = at.place();
  } while (found.count < k_most_frames && at.read() && at.step());
  return found;
}

}  // namespace

void write_place(report& out, std::uintptr_t place) noexcept {
  dl_find_object object;
  if (::_dl_find_object(reinterpret_cast<void*>(place), &object) != 0 || object.dlfo_link_map == nullptr) {
    out.hex(place);
    return;
  }
  const link_map& m = *object.dlfo_link_map;
  const bool named = m.l_name != nullptr && m.l_name[0] != '\0';
  out << std::string_view(named ? m.l_name : program_invocation_name) << "(+";
  out.hex(place - m.l_addr) << ')';
}

void write_stack(const fiber& f) noexcept {
  if (WEFT_TSAN) return;
  const std::uint64_t wait = f.word.this_wait();
  if (wait == 0) return;
  const frames found = walk(f);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (f.word.this_wait() != wait) return;
  for (std::size_t i = 0; i < found.count; ++i) {
    report line;
    line << "    ";
    write_place(line, found.places[i]);
    line << '\n';
  }
}

}  // namespace weft::runtime
