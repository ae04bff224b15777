// What makes a channel a timer's.
//
// Under the channel's lock: `generation` is that of the armed record. A firing that finds another one comes too late,
// its timer has been stopped or reset, and it sends nothing. That is Go 1.23's promise that no stale value is received.
#pragma once
#include <cstdint>

#include "runtime/event/timer_record.hpp"

namespace weft::runtime {

// In the channel's own memory, behind its slot.
struct channel_timer {
  timer_record* record;
  detail::channel_core* channel;
  std::int64_t period;  // 0: once
  std::int64_t when;
  std::uint32_t generation;
  bool pending;  // armed, as its user sees it
};

}  // namespace weft::runtime
