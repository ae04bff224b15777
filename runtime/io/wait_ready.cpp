// wait_readable and wait_writable.
//
// A descriptor of somebody else's is in the poller only while fibers wait for it, under a record that they share. Who
// comes while it is there has it told anew what is ready, for it may have been closed and opened again since. Whether
// it is ready poll(2) says, before each wait: so nobody returns for an event that another has used up.
#include <poll.h>

#include <cerrno>
#include <mutex>

#include "runtime/io/calls.hpp"
#include "runtime/io/transfer.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/section.hpp"
#include "weft/context.hpp"
#include "weft/io.hpp"

namespace weft {

using namespace runtime;

namespace {

constinit spin_lock sharing;  // rank: above the poller's

// The descriptor is in the poller for as long as this lives.
class watch_scope {
 public:
  explicit watch_scope(int fd) noexcept {
    const section in;
    const std::lock_guard hold(sharing);
    the_poller().visit(fd, [&](descriptor& d) { handle_ = {static_cast<socket_record*>(&d), d.sequence}; });
    socket_record* const known = handle_.record;
    if (known != nullptr && known->sharers == 0) return;  // weft's own, which its owner closes
    if (known == nullptr) {
      const result<socket_handle> opened = watch_socket(fd);
      if (!opened) {
        error_ = opened.error();
        return;
      }
      handle_ = *opened;
    } else if (const int e = the_poller().rearm(*known)) {
      error_ = std::error_code(e, std::system_category());
      return;
    }
    shares_ = true;
    ++handle_.record->sharers;
  }
  ~watch_scope() {
    if (!shares_) return;
    const section in;
    const std::lock_guard hold(sharing);
    if (--handle_.record->sharers == 0) unwatch_socket(handle_);
  }
  watch_scope(const watch_scope&) = delete;
  watch_scope& operator=(const watch_scope&) = delete;
  std::error_code error() const noexcept { return error_; }
  socket_handle handle() const noexcept { return handle_; }

 private:
  socket_handle handle_;
  bool shares_ = false;
  std::error_code error_;
};

result<void> wait_ready(const context* ctx, int fd, direction d) {
  const auto look = [d](int at) -> long {
    const int events = calls::ready_now(at, d == direction::read ? POLLIN | POLLRDHUP : POLLOUT);
    return events == 0 ? -EAGAIN : events;
  };
  refuse_in_bubble("weft::wait_readable or wait_writable");
  if (wait_scope(ctx).canceled(current_fiber())) return std::unexpected(error_in({ended::how::canceled, 0, {}}, ctx));
  const long now = look(fd);
  if (now < 0 && now != -EAGAIN)
    return std::unexpected(std::error_code(static_cast<int>(-now), std::system_category()));
  if (now > 0) return {};
  const watch_scope watched(fd);
  if (watched.error()) return std::unexpected(watched.error());
  const wait_reason why = d == direction::read ? wait_reason::descriptor_readable : wait_reason::descriptor_writable;
  const ended e = transfer(watched.handle(), d, ctx, why, look);
  if (e.what != ended::how::done) return std::unexpected(error_in(e, ctx));
  return {};
}

}  // namespace

result<void> wait_readable(int fd) { return wait_ready(nullptr, fd, direction::read); }
result<void> wait_readable(const context& ctx, int fd) { return wait_ready(&ctx, fd, direction::read); }
result<void> wait_writable(int fd) { return wait_ready(nullptr, fd, direction::write); }
result<void> wait_writable(const context& ctx, int fd) { return wait_ready(&ctx, fd, direction::write); }

}  // namespace weft
