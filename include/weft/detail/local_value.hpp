// The value of one fiber_local in one fiber. The untyped half of fiber_local.
#pragma once
#include <cstdint>

#include "weft/detail/config.hpp"

namespace weft::detail {

struct local_value {
  local_value* next;
  std::uint64_t key;
  void (*destroy)(local_value*) noexcept;
};

// Never used again, so that a value whose fiber_local is gone is nobody else's.
WEFT_API std::uint64_t next_local_key() noexcept;
// The current fiber's, or this foreign thread's, or null. What is found is first in the list then.
WEFT_API local_value* find_local(std::uint64_t key);
WEFT_API void add_local(local_value*);

}  // namespace weft::detail
