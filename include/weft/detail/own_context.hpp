// The context that a task's fiber is bound to: the one between the task's parent context and whoever asks for it. Most
// tasks never do; until then there is only this, in what task and fiber share.
#pragma once
#include <atomic>
#include <cstdint>

#include "weft/context.hpp"
#include "weft/detail/atomic_of.hpp"

namespace weft::detail {

// What ended it before anybody asked for it, whichever came first.
enum class own_end : std::uint8_t { none, by_handle, by_parent };

struct own_context {
  explicit own_context(const context& parent) noexcept : parent(parent) {}
  own_context(const own_context&) = delete;
  own_context& operator=(const own_context&) = delete;
  ~own_context() {
    if (node != nullptr) release(node);  // it lives on, for those who have it
  }

  const context parent;
  void* fiber = nullptr;  // which is bound to it, from the moment it is made
  atomic_of<own_end> end{own_end::none};
  context_node* node = nullptr;  // once somebody asked for it: one reference
};

// Any thread. As a cancel_func's call.
WEFT_API void cancel_own(own_context&) noexcept;
// When the fiber has ended. Cancels, shielded, if anybody could tell: a handle, done() or a stop token is left.
WEFT_API void end_own(own_context&) noexcept;

}  // namespace weft::detail
