// The untyped half of a channel, as the typed headers see it. Implemented in the library.
#pragma once
#include <cstddef>
#include <cstdint>

#include "weft/detail/config.hpp"
#include "weft/detail/element.hpp"

namespace weft {
class context;
}

namespace weft::detail {

struct channel_core;

enum class outcome : std::uint8_t { done, closed, canceled, would_block };

WEFT_API channel_core* make_channel(const element_type&, std::size_t capacity);
WEFT_API void retain(channel_core*) noexcept;
WEFT_API void release(channel_core*) noexcept;

// `from` is moved from, and `to` constructed, only when the outcome is done. `ctx` null: the bound context counts and
// `canceled` is thrown by the callee; otherwise outcome::canceled is returned. A null channel blocks for ever.
WEFT_API outcome channel_send(channel_core*, void* from, const context* ctx);
WEFT_API outcome channel_receive(channel_core*, void* to, const context* ctx);
WEFT_API outcome channel_try_send(channel_core*, void* from);
WEFT_API outcome channel_try_receive(channel_core*, void* to) noexcept;
WEFT_API void channel_close(channel_core*);
WEFT_API std::size_t channel_length(const channel_core*) noexcept;
WEFT_API std::size_t channel_capacity(const channel_core*) noexcept;
WEFT_API std::size_t checked_capacity(std::intmax_t);  // throws std::logic_error when negative or absurd

// Owns one reference.
class channel_reference {
 public:
  channel_reference() noexcept = default;
  explicit channel_reference(channel_core* adopted) noexcept : core_(adopted) {}
  channel_reference(const channel_reference& o) noexcept : core_(o.core_) {
    if (core_ != nullptr) retain(core_);
  }
  channel_reference(channel_reference&& o) noexcept : core_(o.core_) { o.core_ = nullptr; }
  channel_reference& operator=(channel_reference o) noexcept {
    channel_core* mine = core_;
    core_ = o.core_;
    o.core_ = mine;
    return *this;
  }
  ~channel_reference() {
    if (core_ != nullptr) release(core_);
  }
  channel_core* get() const noexcept { return core_; }

 private:
  channel_core* core_ = nullptr;
};

// One case of a select.
struct select_operation {
  channel_core* channel;
  void* payload;  // send: the value to move from; receive: room for one
  bool sends;
};
struct selected {
  int index;      // -1: nothing was ready and `blocking` was false
  bool received;  // receive: false when the channel is closed and drained
};
// Blocks until exactly one case has happened. Cases with a null channel are never ready. Throws canceled for the bound
// context, unless a case receives from done() of that context or of one derived from it.
WEFT_API selected select_core(select_operation* operations, std::size_t count, bool blocking);

}  // namespace weft::detail
