// Notices that a client has gone away while its handler runs, and cancels the request's context.
//
// Most handlers are over before anybody could leave, so nothing is watched until one has run for a while: then a fiber
// waits for the end of the client's stream. That wait reads nothing, so what the client has pipelined stays where it
// is.
#pragma once
#include <atomic>
#include <chrono>
#include <optional>

#include "weft/context.hpp"
#include "weft/net.hpp"
#include "weft/timer.hpp"
#include "weft/wait_group.hpp"

namespace weft::http::detail {

class watch {
 public:
  static constexpr auto k_begin_after = std::chrono::milliseconds(5);

  watch() = default;
  ~watch() { stop(); }
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;

  // Both outlive this. Takes the read deadline away: until stop() nobody else reads.
  void start(const net::conn&, const cancelable& scope);
  // Leaves a read deadline that may have passed.
  void stop() noexcept;
  bool client_left() const noexcept { return left_.load(std::memory_order_relaxed); }

 private:
  const net::conn* conn_ = nullptr;
  std::optional<timer> timer_;
  wait_group running_;
  std::atomic<bool> left_{false};
};

}  // namespace weft::http::detail
