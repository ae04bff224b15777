// An open descriptor of weft's own: who uses it, its deadlines, and the wait for one of its directions.
//
// Invariants
// 1. `use` is sequence, closing, count. A handle names a record and a sequence; another sequence in the record means
//    that the handle's descriptor is gone. The memory is type-stable, so anybody may look at any time.
// 2. A system call is made with the descriptor counted in use, and only then; so none is made with a number that
//    already belongs to somebody else. A wait is not counted: a close ends it, and it touches the record no more but
//    under its lock. (But for the wait for the turn to write, see conn.cpp.)
// 3. Once `closing` is set the count only falls. Whoever brings it to zero, the closer or the last user, closes the
//    descriptor, moves the sequence on and gives the record back.
#pragma once
#include <cstddef>
#include <cstdint>

#include "runtime/event/descriptor.hpp"
#include "runtime/event/poller.hpp"
#include "runtime/sync/wait_scope.hpp"
#include "weft/detail/socket_handle.hpp"
#include "weft/error.hpp"
#include "weft/semaphore.hpp"

namespace weft::runtime {

using detail::socket_handle;

// What a descriptor is, for those who ask: `file` is what cannot be watched, and whose calls block the thread.
enum class descriptor_kind : std::uint8_t { socket, pipe, file };

struct socket_record : descriptor {
  socket_record* next = nullptr;
  descriptor_kind kind = descriptor_kind::socket;
  atomic<std::uint64_t> use{0};
  // Until when reads and writes may wait; k_forever: no end. Written under the lock.
  atomic<std::int64_t> read_deadline{k_forever}, write_deadline{k_forever};
  // A read that took less than it could have has emptied the socket: until the next event there is nothing to try. So
  // it notes how many events came before it (of TCP only: others may give less than there is).
  atomic<std::uint64_t> drained_at{0};
  bool tells_drained = false;
  int sharers = 0;       // who wait for a descriptor that is not weft's; under the lock of wait_ready.cpp
  semaphore writing{1};  // who writes in several steps keeps the others out

  atomic<std::int64_t>& deadline(direction d) noexcept { return d == direction::read ? read_deadline : write_deadline; }
};

// Takes the descriptor over, which does not block; on failure it is closed.
result<socket_handle> open_socket(int fd, bool tells_drained = false) noexcept;
// The same for what is no socket, but on failure it stays open; a file is not watched.
result<socket_handle> open_descriptor(int fd, descriptor_kind) noexcept;
// The same for a descriptor that stays somebody else's. Unwatched once nobody uses it.
result<socket_handle> watch_socket(int fd, bool tells_drained = false) noexcept;
void unwatch_socket(socket_handle) noexcept;
// Ends all waits with k_descriptor_closed. False: it was closed already. Of two at a time one closes; it removes the
// path, if there is one, while the socket still has it: another may take it the moment this one is closed.
bool close_socket(socket_handle, const char* path = nullptr) noexcept;
// Of both directions, or one; k_forever takes it away. Waits that go on count by the new one.
bool set_deadline(socket_handle, direction, std::int64_t when) noexcept;

// Keeps the number valid while it lives.
class socket_use {
 public:
  explicit socket_use(socket_handle h) noexcept;
  ~socket_use();
  socket_use(const socket_use&) = delete;
  socket_use& operator=(const socket_use&) = delete;
  explicit operator bool() const noexcept { return record_ != nullptr; }  // false: closed
  int fd() const noexcept { return record_->fd; }

 private:
  socket_record* record_;
};

enum class wait_end : std::uint8_t { look_again, closed, canceled, timed_out };

// Waits until the direction may be tried again, the deadline of the socket, or `until`, whichever is first. `seen`: the
// direction's count of events before the last attempt.
wait_end await_socket(socket_handle, direction, std::uint64_t seen, wait_scope&, fiber* self, wait_reason,
                      std::int64_t until) noexcept;

}  // namespace weft::runtime
