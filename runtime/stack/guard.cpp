// Guards and discarded pages: see guard.hpp.
#include "runtime/stack/guard.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "runtime/base/atomic.hpp"
#include "runtime/base/fatal.hpp"

namespace weft::runtime {
namespace {

constexpr int k_madv_guard_install = 102;     // <linux/mman.h> since 6.13
constexpr int k_pidfd_self_process = -10001;  // PIDFD_SELF_THREAD_GROUP, <linux/pidfd.h> since 6.15

constinit atomic<guard_kind> g_kind{guard_kind::undecided};
constinit atomic<std::size_t> g_protected{0};

// Emulators and sandboxes accept advice they don't know, so a return value proves nothing: the kernel is asked to read
// the page.
bool kernel_guards_pages() noexcept {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* probe = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) return false;
  const bool guarded = ::madvise(probe, page, k_madv_guard_install) == 0 &&
                       ::syscall(SYS_faccessat, AT_FDCWD, probe, F_OK) == -1 && errno == EFAULT;
  ::munmap(probe, page);
  return guarded;
}

guard_kind decide() noexcept {
  if (const char* wish = std::getenv("WEFT_GUARD"); wish != nullptr && std::string_view(wish) == "mprotect")
    return guard_kind::mprotect;
  return kernel_guards_pages() ? guard_kind::lightweight : guard_kind::mprotect;
}

// One call for all ranges where the kernel lets a process advise itself without a descriptor (6.15), else one call
// each. Advice given twice does no harm, so a call cut short is simply repeated range by range.
bool advise(std::span<const iovec> ranges, int advice) noexcept {
  std::size_t bytes = 0;
  for (const iovec& range : ranges) bytes += range.iov_len;
  if (ranges.size() > 1) {
    const long advised = ::syscall(SYS_process_madvise, k_pidfd_self_process, ranges.data(), ranges.size(), advice, 0);
    if (advised >= 0 && static_cast<std::size_t>(advised) == bytes) return true;
  }
  for (const iovec& range : ranges)
    if (::madvise(range.iov_base, range.iov_len, advice) != 0) return false;
  return true;
}

[[noreturn]] void out_of_mappings(int error) noexcept {
  char limit[24] = {};
  const int file = ::open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  if (::read(file, limit, sizeof limit - 1) < 0) limit[0] = '0';
  fatal(
      "cannot guard another fiber stack: mprotect: %s. There are %zu guarded stacks; without the lightweight guards of "
      "Linux 6.13 each "
      "takes two mappings of vm.max_map_count (now %ld): raise that limit, or run fewer fibers at a time",
      std::strerror(error), g_protected.load(relaxed), std::atol(limit));
}

}  // namespace

guard_kind guards() noexcept {
  guard_kind kind = g_kind.load(relaxed);
  if (kind != guard_kind::undecided) return kind;
  kind = decide();  // two threads may both ask; they hear the same
  g_kind.store(kind, relaxed);
  return kind;
}

void set_guards(guard_kind kind) noexcept { g_kind.store(kind, relaxed); }

void install_guards(std::span<const iovec> ranges) noexcept {
  // A slab locked in memory (mlockall) takes no lightweight guard on some kernels, hence the second way even then.
  if (guards() == guard_kind::lightweight && advise(ranges, k_madv_guard_install)) return;
  for (const iovec& range : ranges) {
    if (::mprotect(range.iov_base, range.iov_len, PROT_NONE) != 0) out_of_mappings(errno);
    g_protected.fetch_add(1, relaxed);
  }
}

void discard_pages(std::span<const iovec> ranges) noexcept { advise(ranges, MADV_DONTNEED); }

}  // namespace weft::runtime
