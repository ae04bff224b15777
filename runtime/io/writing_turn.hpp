// Who writes to a descriptor in several steps.
#pragma once
#include "runtime/io/socket.hpp"
#include "weft/context.hpp"

namespace weft::runtime {

// Keeps others from writing in between. Who waits for the turn is counted as a user: the record could else come to
// serve another socket, whose writers take as long as they like. A close is not held up, for it ends the wait of the
// one whose turn it is.
class writing_turn {
 public:
  writing_turn(socket_handle h, const context* ctx) : semaphore_(h.record->writing) {
    if (semaphore_.try_acquire()) return;
    const socket_use use(h);
    if (!use)
      error_ = errc::closed;
    else if (ctx == nullptr)
      semaphore_.acquire();
    else if (const result<void> r = semaphore_.acquire(*ctx); !r)
      error_ = r.error();
  }
  ~writing_turn() {
    if (!error_) semaphore_.release();
  }
  writing_turn(const writing_turn&) = delete;
  writing_turn& operator=(const writing_turn&) = delete;
  std::error_code error() const noexcept { return error_; }

 private:
  semaphore& semaphore_;
  std::error_code error_;
};

}  // namespace weft::runtime
