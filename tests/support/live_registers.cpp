// The layout that live_registers.S shares, the patterns, and what the machine has.
#include "live_registers.hpp"

#include <array>
#include <cstring>

#include "support.hpp"

namespace test {
namespace {

#if defined(__x86_64__)

extern "C" {
void test_hold_sse(const void*, void*, long);
void test_hold_avx(const void*, void*, long);
void test_hold_avx512(const void*, void*, long);
}

struct registers {
  std::array<std::array<std::uint64_t, 8>, 32> vectors{};
  std::array<std::uint64_t, 8> masks{};
  std::array<std::array<std::uint64_t, 2>, 8> x87{};  // 80 bits of each
  std::uint32_t mxcsr = 0;
  std::uint16_t x87_control = 0;
  std::uint16_t x87_status = 0;
  std::uint64_t unused = 0;
  std::array<std::uint64_t, 12> general{};
  std::array<std::uint64_t, 16> red_zone{};
  std::uint64_t carry = 0;
  std::uint32_t mxcsr_before = 0;  // the caller's
  std::uint16_t x87_control_before = 0;
  std::uint16_t x87_status_before = 0;  // once all is loaded
};
static_assert(offsetof(registers, masks) == 2048 && offsetof(registers, x87) == 2112 &&
              offsetof(registers, mxcsr) == 2240 && offsetof(registers, general) == 2256 &&
              offsetof(registers, red_zone) == 2352 && offsetof(registers, carry) == 2480 &&
              offsetof(registers, mxcsr_before) == 2488);

void fill(registers& r, random& pattern) {
  for (auto& v : r.vectors)
    for (std::uint64_t& word : v) word = pattern.next();
  for (std::uint64_t& word : r.masks) word = pattern.next();
  // An ordinary number each: the leading bit set, an exponent near that of 1.
  for (auto& number : r.x87) number = {pattern.next() | 1ull << 63, 0x3ff0 + pattern.below(32)};
  r.mxcsr = 0x1f80 | 0x8040 | pattern.below(4) << 13 | pattern.below(64);  // all masked, FTZ, DAZ; rounding, flags
  r.x87_control = static_cast<std::uint16_t>(0x037f | pattern.below(4) << 10);
  for (std::uint64_t& word : r.general) word = pattern.next();
  for (std::uint64_t& word : r.red_zone) word = pattern.next();
}

bool same(const registers& a, const registers& b, const register_set& set) {
  for (std::size_t i = 0; i < set.vectors; ++i)
    if (std::memcmp(&a.vectors[i], &b.vectors[i], set.vector_bytes) != 0) return false;
  if (set.vector_bytes == 64 && a.masks != b.masks) return false;
  return a.x87 == b.x87 && a.mxcsr == b.mxcsr && a.x87_control == b.x87_control &&
         b.x87_status == b.x87_status_before && a.general == b.general && a.red_zone == b.red_zone && b.carry == 1;
}

std::vector<register_set> usable_sets() {
  std::vector<register_set> all;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
    all.push_back({"avx512", test_hold_avx512, 64, 32});
  if (__builtin_cpu_supports("avx")) all.push_back({"avx", test_hold_avx, 32, 16});
  all.push_back({"sse", test_hold_sse, 16, 16});
  return all;
}

#elif defined(__aarch64__)

extern "C" void test_hold_neon(const void*, void*, long);

struct registers {
  std::array<std::array<std::uint64_t, 2>, 32> vectors{};
  std::array<std::uint64_t, 2> control{};   // FPCR, FPSR
  std::array<std::uint64_t, 16> general{};  // x3 to x17
  std::uint64_t carry = 0;
  std::array<std::uint64_t, 2> control_before{};
};
static_assert(offsetof(registers, control) == 512 && offsetof(registers, general) == 528 &&
              offsetof(registers, carry) == 656 && offsetof(registers, control_before) == 664);

void fill(registers& r, random& pattern) {
  for (auto& v : r.vectors) v = {pattern.next(), pattern.next()};
  r.control = {std::uint64_t{pattern.below(4)} << 22 | 1u << 24, pattern.below(32)};  // rounding, FZ; flags
  for (std::size_t i = 0; i < 15; ++i) r.general[i] = pattern.next();
}

bool same(const registers& a, const registers& b, const register_set&) {
  return a.vectors == b.vectors && a.control == b.control && a.general == b.general && b.carry == 1;
}

std::vector<register_set> usable_sets() { return {{"neon", test_hold_neon, 16, 32}}; }

#endif

}  // namespace

const std::vector<register_set>& register_sets() {
  static const std::vector<register_set> all = usable_sets();
  return all;
}

bool registers_survive(const register_set& set, std::uint64_t seed, long turns) {
  registers from, into;
  random pattern(seed);
  fill(from, pattern);
  set.hold(&from, &into, turns);
  return same(from, into, set);
}

}  // namespace test
