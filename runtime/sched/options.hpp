// runtime_options, completed by the environment and checked.
#pragma once
#include <cstddef>
#include <cstdint>

#include "weft/runtime.hpp"

namespace weft::runtime {

inline constexpr unsigned k_max_processors = 1024;

struct options {
  unsigned processors = 1;
  std::size_t stack_size = 64 << 10;
  std::int64_t slice_ns = 10'000'000;
  unsigned max_threads = 10'000;
  bool preemption = true;
  std::int64_t drain_ns = 1'000'000'000;
  std::uint64_t chaos_seed = WEFT_CHAOS;  // 0: no chaos
};

// Throws std::invalid_argument that names the option or variable and its value.
options resolve(const runtime_options&);

// How many CPUs this process may use: its affinity, and its control group's quota rounded up.
unsigned usable_cpus() noexcept;

}  // namespace weft::runtime
