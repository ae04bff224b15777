#pragma once
// A signal becomes a cancel: Go's signal.NotifyContext, by a thread of its own that waits for the signal.

#include <csignal>
#include <stop_token>
#include <thread>
#include <weft/weft.hpp>

namespace md5_tree {

inline sigset_t only(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

// Blocks the signal in this thread and in those that it starts from here on, so that cancel_on_signal alone gets it.
class block_signal {
 public:
  explicit block_signal(int signal) noexcept {
    const sigset_t set = only(signal);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  block_signal(const block_signal&) = delete;
  block_signal& operator=(const block_signal&) = delete;
  ~block_signal() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

class cancel_on_signal {
 public:
  cancel_on_signal(int signal, const weft::cancel_func& cancel)
      : signal_(signal), thread_([&cancel, set = only(signal)](std::stop_token ended) {
          int arrived = 0;
          sigwait(&set, &arrived);
          if (!ended.stop_requested()) cancel();
        }) {}
  cancel_on_signal(const cancel_on_signal&) = delete;
  cancel_on_signal& operator=(const cancel_on_signal&) = delete;
  ~cancel_on_signal() {
    thread_.request_stop();
    pthread_kill(thread_.native_handle(), signal_);
    weft::blocking([this] { thread_.join(); });
  }

 private:
  int signal_;
  std::jthread thread_;
};

}  // namespace md5_tree
