// Whether the registers of a loop, every one of them, are what they were, after whatever interrupted it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace test {

// What one CPU has. `all` holds the widest first that this machine can do.
struct register_set {
  std::string_view name;  // "avx512"
  // Loads all registers from the first, turns so often in a loop without memory, stores them to the second.
  void (*hold)(const void* from, void* into, long turns);
  std::size_t vector_bytes;  // of each
  std::size_t vectors;
};
const std::vector<register_set>& register_sets();

// Fills all registers of the set with a pattern that only this seed has, holds it for so many turns, and compares bit
// for bit.
bool registers_survive(const register_set&, std::uint64_t seed, long turns);

}  // namespace test
