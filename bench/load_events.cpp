// The thread sleeps through most of a pause and looks at the clock for the rest of it, so that pauses of 10 us exist.
#include "bench/load_events.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <system_error>

namespace bench {
namespace {

constexpr std::chrono::nanoseconds k_spun{200'000};

std::int64_t nanoseconds_of(const timespec& t) {
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

std::int64_t now_by(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return nanoseconds_of(t);
}

void pass(std::chrono::nanoseconds time) {
  const std::int64_t end = monotonic_now() + time.count();
  if (time > k_spun) std::this_thread::sleep_for(time - k_spun);
  while (monotonic_now() < end) {
  }
}

void make_pipe(int (&ends)[2]) {
  if (::pipe(ends) != 0) throw std::system_error(errno, std::system_category(), "pipe");
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

}  // namespace

std::int64_t monotonic_now() { return now_by(CLOCK_MONOTONIC); }

event_source::event_source(std::chrono::nanoseconds pause, std::function<void(std::int64_t)> event,
                           std::function<bool()> answered)
    : thread_([this, pause, event = std::move(event), answered = std::move(answered)] {
        while (!over_) {
          pass(pause);
          event(monotonic_now());
          while (!over_ && !answered()) {
          }
        }
      }) {}

event_source::~event_source() {
  over_ = true;
  thread_.join();
}

std::chrono::nanoseconds event_source::cpu_time() const {
  clockid_t clock{};
  if (::pthread_getcpuclockid(const_cast<std::thread&>(thread_).native_handle(), &clock) != 0) return {};
  return std::chrono::nanoseconds(now_by(clock));
}

event_pipes::event_pipes() {
  make_pipe(events_);
  make_pipe(answers_);
}

event_pipes::~event_pipes() {
  for (const int end : {events_[0], events_[1], answers_[0], answers_[1]}) ::close(end);
}

void event_pipes::send(std::int64_t stamp) const {
  if (::write(events_[1], &stamp, sizeof stamp) != sizeof stamp)
    throw std::system_error(errno, std::system_category(), "write into a pipe");
}

bool event_pipes::answered() const {
  char c = 0;
  return ::read(answers_[0], &c, 1) == 1;
}

}  // namespace bench
