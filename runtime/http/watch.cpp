#include "runtime/http/watch.hpp"

#include <utility>

#include "weft/fiber.hpp"

namespace weft::http::detail {
namespace {

// Counted for as long as it lives: a timer's function may go without having run.
class member {
 public:
  explicit member(wait_group& g) : group_(&g) { g.add(1); }
  member(member&& o) noexcept : group_(std::exchange(o.group_, nullptr)) {}
  ~member() {
    if (group_ != nullptr) group_->done();
  }

 private:
  wait_group* group_;
};

}  // namespace

void watch::start(const net::conn& c, const cancelable& scope) {
  conn_ = &c;
  c.set_read_deadline(net::no_deadline);
  timer_.emplace(after_func(k_begin_after, [this, &c, &scope, counted = member(running_)] {
    if (!c.wait_end(scope.ctx)) return;
    left_.store(true, std::memory_order_relaxed);
    scope.cancel(std::make_error_code(std::errc::connection_aborted));
  }));
}

void watch::stop() noexcept {
  if (!timer_) return;
  const bool begun = !timer_->stop();
  timer_.reset();
  if (!begun) return;
  conn_->set_read_deadline(clock::now());  // ends its wait, also one that is yet to begin
  const shield_scope unhurt;
  running_.wait();
}

}  // namespace weft::http::detail
