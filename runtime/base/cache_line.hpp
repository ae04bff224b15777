// The unit in which processors take memory from one another.
#pragma once
#include <cstddef>

namespace weft::runtime {
inline constexpr std::size_t k_cache_line = 64;
}
