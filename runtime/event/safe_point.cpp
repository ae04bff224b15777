#include "runtime/event/safe_point.hpp"

#include <dlfcn.h>
#include <link.h>

#include <cstring>
#include <string_view>

#include "arch/arch.hpp"
#include "runtime/stack/stack.hpp"

namespace weft::runtime {
namespace {

constexpr std::string_view k_not_users[] = {
    "libc.so",     "ld-linux",     "libstdc++.so", "libgcc_s.so",   "libjemalloc.so", "linux-vdso.so",
    "libc++.so",   "libc++abi.so", "libunwind.so", "libpthread.so", "libdl.so",       "libtcmalloc",
    "libmimalloc", "libasan.so",   "libubsan.so",  "libtsan.so",    "liblsan.so"};

}  // namespace

// The kernel's part of the set: glibc's sigset_t is larger than what the kernel keeps in a frame.
bool same_mask(const sigset_t& a, const sigset_t& b) noexcept {
  std::uint64_t x, y;
  std::memcpy(&x, &a, sizeof x);
  std::memcpy(&y, &b, sizeof y);
  return x == y;
}

bool in_user_code(std::uintptr_t pc) noexcept {
  dl_find_object found;
  if (::_dl_find_object(reinterpret_cast<void*>(pc), &found) != 0 || found.dlfo_link_map == nullptr) return true;
  const char* path = found.dlfo_link_map->l_name;
  if (path == nullptr) return true;
  const char* slash = std::strrchr(path, '/');
  const std::string_view name = slash == nullptr ? path : slash + 1;
  for (const std::string_view other : k_not_users)
    if (name.starts_with(other)) return false;
  return true;
}

stop_point stop_point_at(const ucontext_t& frame, const fiber& f, const sigset_t& mask) noexcept {
  const std::uintptr_t sp = arch::frame_sp(frame);
  if (f.stack == nullptr || sp < reinterpret_cast<std::uintptr_t>(f.stack->low) ||
      sp > reinterpret_cast<std::uintptr_t>(f.stack->top))
    return stop_point::unsafe;
  if (!same_mask(frame.uc_sigmask, mask)) return stop_point::unsafe;
  const std::uintptr_t pc = arch::frame_pc(frame);
  if (arch::frame_in_system_call(frame)) return stop_point::in_kernel;
  return in_user_code(pc) ? stop_point::safe : stop_point::unsafe;
}

}  // namespace weft::runtime
