// The heavy half of an asymmetric store-load fence.
//
// One side does (store; load) often and cheaply, the other seldom: (store; heavy_fence(); load). The kernel interrupts
// every running thread of the process, so afterwards either the others see our store, or we see theirs.
#pragma once

namespace weft::runtime {

// False where the kernel lacks it (Linux before 4.14, emulators): then the caller must look again after a while.
bool heavy_fence() noexcept;
bool has_membarrier() noexcept;

}  // namespace weft::runtime
