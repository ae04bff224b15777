// after_func(ctx, f): what runs once a context is cancelled.
#pragma once
#include "runtime/sync/context_node.hpp"

namespace weft::runtime {

// Each in a fiber of its own, or here where no runtime runs. Takes over one reference of each.
void run_afters(list_of<after_registration>&) noexcept;

}  // namespace weft::runtime
