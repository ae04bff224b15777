// Slabs of stacks: see slab.hpp.
#include "runtime/stack/slab.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <string>
#include <system_error>

#include "runtime/base/atomic.hpp"
#include "runtime/stack/guard.hpp"

namespace weft::runtime {
namespace {

constexpr std::size_t k_slab_size = std::size_t{64} << 20;  // of address space; 496 stacks of the default size
constexpr std::size_t k_most_stacks = 512;

constinit atomic<const slab*> g_slabs{nullptr};

std::size_t page_size() noexcept {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t round_up(std::size_t size, std::size_t unit) noexcept { return (size + unit - 1) / unit * unit; }

std::size_t stride_of(std::size_t stack_size) noexcept {
  const std::size_t page = page_size();
  const std::size_t pages = (round_up(k_guard_size, page) + round_up(stack_size, page)) / page + 1;
  return (pages | 1) * page;
}

// Neighbours, often used together, get colours far apart: 11 is prime to k_colours.
std::size_t colour_of(std::uint32_t index) noexcept { return std::size_t{index} * 11 % k_colours * k_colour_step; }

iovec guard_of(const stack& s) noexcept { return {s.low - k_guard_size, k_guard_size}; }

// Calls f(span of iovec) for all the stacks' ranges, a batch at a time.
template <class RangeOf, class F>
void in_batches(const stack_list& stacks, RangeOf range_of, F f) {
  std::array<iovec, k_advice_batch> ranges;
  std::size_t filled = 0;
  const stack* s = stacks.front();
  for (std::size_t left = stacks.count(); left != 0; --left, s = s->next) {
    ranges[filled++] = range_of(*s);
    if (filled == ranges.size() || left == 1) {
      f(std::span<const iovec>(ranges.data(), filled));
      filled = 0;
    }
  }
}

}  // namespace

slab* slab::map(std::size_t stack_size) {
  const std::size_t page = page_size();
  const std::size_t stride = stride_of(stack_size);
  const std::size_t count = std::clamp<std::size_t>(k_slab_size / stride, 1, k_most_stacks);
  const std::size_t header = round_up(sizeof(slab) + count * sizeof(stack), page);
  const std::size_t size = header + count * stride;

  void* memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED)
    throw std::system_error(errno, std::system_category(),
                            "weft: no address space for " + std::to_string(count) + " more fiber stacks of " +
                                std::to_string(stack_size) +
                                " bytes; see ulimit -v, the memory cgroup, vm.overcommit_memory and vm.max_map_count");
  ::madvise(memory, size, MADV_NOHUGEPAGE);  // EINVAL where the kernel has none

  slab* s = new (memory) slab;
  s->slots_ = static_cast<std::byte*>(memory) + header;
  s->stride_ = stride;
  s->mapped_ = size;
  s->count_ = static_cast<std::uint32_t>(count);
  for (std::uint32_t i = 0; i < s->count_; ++i) {
    std::byte* const slot = s->slots_ + i * stride;
    new (s->at(i)) stack{.top = slot + stride - colour_of(i),
                         .low = slot + round_up(k_guard_size, page),
                         .size = stack_size,
                         .next = nullptr};
  }
  return s;
}

void slab::unmap(slab* unused) noexcept { ::munmap(unused, unused->mapped_); }

void slab::publish(slab* s) noexcept {
  s->next_ = g_slabs.load(relaxed);
  while (!g_slabs.compare_exchange_weak(s->next_, s, release, relaxed)) {
  }  // pairs with stack_of_guard
}

const stack* slab::of_guard(const std::byte* address) const noexcept {
  if (address < slots_ || address >= slots_ + count_ * stride_) return nullptr;
  const stack* s = descriptors() + static_cast<std::size_t>(address - slots_) / stride_;
  return address < s->low ? s : nullptr;
}

void guard_stacks(const stack_list& stacks) noexcept {
  std::size_t guarded = 0;
  in_batches(stacks, guard_of, [&](std::span<const iovec> ranges) { guarded += install_guards(ranges); });
  stack* s = stacks.front();
  for (std::size_t i = 0; i < stacks.count(); ++i, s = s->next) s->open = i >= guarded;
}

bool has_overflowed(const stack& open) noexcept { return has_pages(guard_of(open)); }

void discard_stacks(const stack_list& stacks) noexcept {
  const auto pages = [](const stack& s) {
    return iovec{s.low, round_up(static_cast<std::size_t>(s.top - s.low), page_size())};
  };
  in_batches(stacks, pages, discard_pages);
}

const stack* stack_of_guard(const void* address) noexcept {
  const auto* const byte = static_cast<const std::byte*>(address);
  for (const slab* s = g_slabs.load(acquire); s != nullptr; s = s->next())
    if (const stack* found = s->of_guard(byte)) return found;
  return nullptr;
}

}  // namespace weft::runtime
