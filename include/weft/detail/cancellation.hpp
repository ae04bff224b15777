// A cancellation point that does nothing else: for templates whose wait comes later, or perhaps not at all.
#pragma once
#include "weft/detail/config.hpp"
#include "weft/error.hpp"

namespace weft {

class context;

namespace detail {

// Throws canceled where the bound context's cancellation is to be thrown. Does nothing on a foreign thread.
WEFT_API void check_canceled();
WEFT_API result<void> check_canceled(const context& ctx);

}  // namespace detail
}  // namespace weft
