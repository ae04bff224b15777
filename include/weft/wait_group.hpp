// Waiting for a number of things to end: Go's sync.WaitGroup.
#pragma once
#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "weft/detail/atomic_of.hpp"
#include "weft/detail/wait_list.hpp"
#include "weft/fiber.hpp"

namespace weft {

// add() with a positive number must happen before wait(), or while the count is above zero. A count below zero throws
// std::logic_error. Destroying one whose count is not zero ends the process: somebody would call done() on freed
// memory. Any thread; done() happens before the end of the wait() it ends.
class WEFT_API wait_group {
 public:
  wait_group() noexcept = default;
  wait_group(const wait_group&) = delete;
  wait_group& operator=(const wait_group&) = delete;
  ~wait_group();

  void add(int n);
  void done() { add(-1); }
  // Blocks until the count is zero. Cancellation point.
  void wait();
  result<void> wait(const context& ctx);

  // add(1), then f in a fiber of its own, then done(), also when f throws (which ends the process after a report) or is
  // cancelled.
  template <std::invocable F>
  void go(F&& f, std::source_location site = std::source_location::current()) {
    start({}, site, std::forward<F>(f));
  }
  template <std::invocable F>
  void go(const context& ctx, F&& f, std::source_location site = std::source_location::current()) {
    start({.bound = &ctx}, site, std::forward<F>(f));
  }

 private:
  // Counts from construction to destruction, so that a fiber that never ran is counted down too.
  class member {
   public:
    explicit member(wait_group* g) : group_(g) { g->add(1); }
    member(member&& o) noexcept : group_(std::exchange(o.group_, nullptr)) {}
    ~member() {
      if (group_ != nullptr) group_->done();
    }

   private:
    wait_group* group_;
  };
  // In this order: what f captured is gone before the count goes down.
  template <class F>
  struct counted {
    member m;
    F f;
    void operator()() { std::invoke(std::move(f)); }
  };
  template <class F>
  void start(const detail::launch_options& options, std::source_location site, F&& f) {
    detail::launch(options, site, counted<std::decay_t<F>>{member(this), std::forward<F>(f)});
  }

  detail::atomic_of<std::int64_t> count_{0};
  detail::wait_list waiters_;
};

}  // namespace weft
