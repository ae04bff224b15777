// Fibers with one fate: Go's errgroup.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <source_location>
#include <system_error>
#include <utility>

#include "weft/context.hpp"
#include "weft/detail/atomic_of.hpp"
#include "weft/detail/member.hpp"
#include "weft/error.hpp"
#include "weft/fiber.hpp"
#include "weft/wait_group.hpp"
#include "weft/waiter.hpp"

namespace weft {

namespace detail {
struct group_access;
}  // namespace detail

// Members run in fibers of their own, bound to the group's context. The first that fails (an error, an exception,
// `canceled`) cancels that context at once, with its failure as the cause; later failures are dropped.
//
// A member is f() or f(const context&) and gives void, std::error_code or result<void>. What it captured is gone before
// it counts as ended. Members may start members. Every function may be called from any thread; what a member did
// happens before the end of the wait() that it ends.
//
// The destructor cancels and waits, shielded: members may use what is declared before the group.
class WEFT_API group {
 public:
  // Below background(). May be used again after a wait() that gave no error.
  group();
  // Below `parent`, whose cancel ends the members too. As in Go, wait() cancels the group's context when it returns.
  explicit group(const weft::context& parent);
  group(const group&) = delete;
  group& operator=(const group&) = delete;
  ~group();

  const weft::context& context() const noexcept { return bound_.ctx; }
  // At most n members at a time; negative: any number, the beginning state; zero: go() waits. Throws std::logic_error
  // while there are members.
  void set_limit(int n);
  // The members are thrown at; wait() then gives errc::canceled, unless all of them end well all the same.
  void cancel() noexcept { bound_.cancel(); }

  // Starts a member. At the limit it blocks until one has ended, first come, first served; with a limit it is a
  // cancellation point: throws canceled, f is not started. Also throws what copying f throws, std::bad_alloc, and
  // std::logic_error where no runtime runs; then nothing has changed.
  template <class F>
  void go(F&& f, std::source_location site = std::source_location::current()) {
    enter();
    start(std::forward<F>(f), site);
  }
  // The same without blocking: false, with f untouched, at the limit.
  template <class F>
  bool try_go(F&& f, std::source_location site = std::source_location::current()) {
    if (!try_enter()) return false;
    start(std::forward<F>(f), site);
    return true;
  }

  // Blocks until all members have ended. The first failure: an error code, or errc of a `canceled`, is returned,
  // another exception rethrown; the same to everyone who waits. Cancellation point: throws canceled, the members go on.
  [[nodiscard]] result<void> wait();

 private:
  friend struct detail::group_access;
  struct entrant;  // waits in go()
  class seat;      // of a member
  enum class failing : std::uint8_t { none, being_told, told };

  template <class F>
  void start(F&& f, std::source_location site) {
    reservation place{this};
    launch(detail::make_member(std::forward<F>(f)), site);
    place.owner = nullptr;
  }
  // A place that is given back unless a member takes it.
  struct reservation {
    group* owner;
    ~reservation() {
      if (owner != nullptr) owner->leave();
    }
  };

  void enter();
  bool try_enter() noexcept;
  void throw_if_canceled_unlocked(std::unique_lock<spin_lock>&);
  void wait_for_room(std::unique_lock<spin_lock>&);
  bool has_room_locked() const noexcept { return limit_ < 0 || active_ < limit_; }
  void unlink_locked(entrant&) noexcept;
  void seat_entrants_locked() noexcept;
  void leave() noexcept;
  void launch(std::unique_ptr<detail::member>, std::source_location);
  void run(detail::member&) noexcept;
  void fail(std::exception_ptr, std::error_code) noexcept;

  const bool ends_with_wait_;
  cancelable bound_;
  wait_group members_;

  spin_lock lock_;  // guards the four below
  int limit_ = -1;
  int active_ = 0;
  entrant* first_ = nullptr;
  entrant* last_ = nullptr;

  detail::atomic_of<failing> failing_{failing::none};
  std::exception_ptr exception_;  // published with the code by failing::told
  std::error_code code_;          // of an error, or of a `canceled`
};

}  // namespace weft
