// Guards and discarded pages: see guard.hpp.
#include "runtime/stack/guard.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "runtime/base/atomic.hpp"
#include "runtime/base/fatal.hpp"
#include "runtime/stack/stack.hpp"

namespace weft::runtime {
namespace {

constexpr int k_madv_guard_install = 102;     // <linux/mman.h> since 6.13
constexpr int k_pidfd_self_process = -10001;  // PIDFD_SELF_THREAD_GROUP, <linux/pidfd.h> since 6.15

constinit atomic<guard_kind> g_kind{guard_kind::undecided};
constinit atomic<std::size_t> g_protected{0};
constinit atomic<bool> g_reported{false};

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

std::size_t most_mappings() noexcept {
  constexpr long k_by_default = 65530;
  char limit[24] = {};
  const int file = ::open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  const bool known = file >= 0 && ::read(file, limit, sizeof limit - 1) > 0;
  if (file >= 0) ::close(file);
  return static_cast<std::size_t>(known ? std::atol(limit) : k_by_default);
}

// Half of the mappings, but for an eighth of them.
std::size_t most_protected() noexcept {
  static const std::size_t most = most_mappings() / 16 * 7;
  return most;
}

bool protect(const iovec& range) noexcept {
  const std::size_t before = g_protected.fetch_add(1, relaxed);
  if (before < most_protected() && ::mprotect(range.iov_base, range.iov_len, PROT_NONE) == 0) return true;
  g_protected.fetch_sub(1, relaxed);
  if (!g_reported.exchange(true, relaxed))
    report()
        << "weft: " << std::uint64_t{before} << " fiber stacks are guarded, as many as vm.max_map_count ("
        << std::uint64_t{most_mappings()}
        << ") allows without the lightweight guards of Linux 6.13; that a further one has overflowed is found when "
           "its fiber ends\n";
  return false;
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

std::size_t install_guards(std::span<const iovec> ranges) noexcept {
  // A slab locked in memory (mlockall) takes no lightweight guard on some kernels, hence the second way even then.
  if (guards() == guard_kind::lightweight && advise(ranges, k_madv_guard_install)) return ranges.size();
  return static_cast<std::size_t>(std::ranges::find_if_not(ranges, protect) - ranges.begin());
}

void discard_pages(std::span<const iovec> ranges) noexcept { advise(ranges, MADV_DONTNEED); }

bool has_pages(const iovec& range) noexcept {
  constexpr std::size_t k_smallest_page = 4096;
  std::array<unsigned char, k_guard_size / k_smallest_page> in_memory{};
  if (::mincore(range.iov_base, range.iov_len, in_memory.data()) != 0) return false;
  return std::ranges::any_of(in_memory, [](unsigned char page) { return (page & 1) != 0; });
}

}  // namespace weft::runtime
