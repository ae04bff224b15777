// Signals: a handler that notes the number and rings, and a fiber that delivers.
//
// The bell is an eventfd in the poller: whoever asks the poller starts the fiber. While no runtime takes one, a thread
// of our own delivers; so it does where no eventfd is to be had. With every processor busy both are called, for it may
// be a millisecond until somebody asks the poller, and what the thread sends interrupts a loop; the first delivers.
//
// Invariants
// 1. The handler does what may be done anywhere: it sets a bit in `arrived`, writes the bell, and may post a note.
// 2. What has arrived is delivered: by a fiber, which the run waits for once it is admitted, or by the thread.
//      the handler                            the end of a run
//      writes the bell                        closes the runtime (seq_cst), waits for visitors
//      loads whether it is closed (seq_cst)   rings every bell in the poller: not admitted, it posts the note
//    If the handler found it open, the bell was written before it was closed, and what the poller has not told yet the
//    end of the run makes up for. A bell that was told for nothing costs a fiber that finds nothing.
// 3. Under the hub's lock: the registrations, the count per signal, and whether our handler is in place. The first
//    registration of a signal puts it there, the last one takes it away, unless somebody has replaced it meanwhile.
// 4. Channels are sent to under the lock, so that after stop() nothing comes. Contexts are cancelled outside it: that
//    runs users' stop callbacks, and one of ours, which takes the lock.
// 5. A signal whose handler ran is delivered, or, if its last registration has gone meanwhile, raised again.
//
// Rejected: signalfd, for it wants the signal blocked in every thread, also in those that other libraries make. A fiber
// that waits for the bell: a registration belongs to the process and a fiber to a run, which would have to end it.
// The hub lives for ever: handlers, fibers and the thread may look at it until the process has gone.
#include "weft/signals.hpp"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "runtime/base/atomic.hpp"
#include "runtime/base/futex.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/monitor.hpp"
#include "runtime/sched/polling.hpp"
#include "runtime/sched/threads.hpp"
#include "runtime/sync/spawn.hpp"
#include "weft/fiber.hpp"

namespace weft::runtime {
namespace {

using signal_set = std::uint64_t;
constexpr int k_last_signal = 64;

constexpr signal_set only(int signal) noexcept { return signal_set{1} << (signal - 1); }

template <class F>
void for_each_signal(signal_set set, F&& f) {
  for (; set != 0; set &= set - 1) f(std::countr_zero(set) + 1);
}

constinit atomic<signal_set> arrived{0};
constinit atomic<int> bell{-1};  // -1: there is none
constinit note for_thread;

// Somebody is to deliver.
void ring() noexcept {
  const int saved = errno;
  const int fd = bell.load(relaxed);
  const std::uint64_t one = 1;
  const bool rung = fd >= 0 && ::write(fd, &one, sizeof one) == sizeof one;
  errno = saved;
  const scheduler& s = sched();
  if (!rung || s.closed.load(seq_cst) || s.idle_count.load(relaxed) == 0) for_thread.post();
}

void on_signal(int signal) noexcept {
  arrived.fetch_or(only(signal), release);  // pairs with take_arrived
  ring();
}

signal_set take_arrived() noexcept { return arrived.exchange(0, acquire); }

struct registration;

// Of the outer context of notify_context: its end is the registration's.
struct unregister {
  registration* ended;
  void operator()() const noexcept;
};

struct registration {
  signal_set which = 0;
  send_chan<int> channel;  // or, when null:
  cancelable told;
  int signal = 0;  // that it is to be told of
  std::optional<std::stop_callback<unregister>> on_end;
};
using registration_handle = std::shared_ptr<registration>;

std::exception_ptr cause_of(int signal) {
  return std::make_exception_ptr(
      std::system_error(make_error_code(errc::canceled), std::string("signal received: ") + ::strsignal(signal)));
}

// Who handles one signal.
class disposition {
 public:
  void take_over(int signal) noexcept {
    ++users_;
    if (is_ours(signal)) return;
    struct sigaction ours{};
    ours.sa_handler = on_signal;
    ours.sa_flags = SA_ONSTACK | SA_RESTART;
    ::sigfillset(&ours.sa_mask);
    ::sigaction(signal, &ours, &earlier_);
  }
  void give_back(int signal) noexcept {
    if (--users_ == 0 && is_ours(signal)) ::sigaction(signal, &earlier_, nullptr);
  }
  // It came too late for us. Not when somebody has put our handler back: it would come again for ever.
  void pass_on(int signal) const noexcept {
    if (users_ == 0 && !is_ours(signal)) ::kill(::getpid(), signal);
  }

 private:
  static bool is_ours(int signal) noexcept {
    struct sigaction now{};
    ::sigaction(signal, nullptr, &now);
    return (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == on_signal;
  }
  int users_ = 0;
  struct sigaction earlier_{};
};

class hub {
 public:
  static hub& instance() {
    static hub* const h = new hub;
    return *h;
  }

  void add(registration_handle r) {
    const locked hold(*this);
    if (r->channel)
      if (const auto known = find_locked(r->channel); known != registrations_.end()) {
        const signal_set fresh = r->which & ~(*known)->which;
        (*known)->which |= fresh;
        take_over_locked(fresh);
        return;
      }
    registrations_.push_back(std::move(r));
    expect_outside_event();
    take_over_locked(registrations_.back()->which);
  }
  void remove(const send_chan<int>& c) noexcept {
    registration_handle gone;  // its end may be a context's: after the lock's
    const locked hold(*this);
    gone = take_out_locked(find_locked(c));
  }
  void remove(const registration* r) noexcept {
    registration_handle gone;
    const locked hold(*this);
    gone = take_out_locked(std::ranges::find(registrations_, r, &registration_handle::get));
  }

 private:
  using list = std::vector<registration_handle>;

  // Taken for a moment only, and by fibers not through a preemption: others would wait for it with their threads.
  class locked {
   public:
    explicit locked(hub& h) : hold_(h.mutex_) {}

   private:
    no_preempt keep_running_;
    std::lock_guard<std::mutex> hold_;
  };

  hub() {
    start_service_thread("weft-signals", [](void*) { deliver_for_ever(); }, nullptr);
    hang_bell();
  }
  void hang_bell() noexcept {
    bell_.fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (bell_.fd < 0) return;
    bell_.on_readable = &on_bell;
    if (watch_descriptor(bell_) == 0)
      bell.store(bell_.fd, relaxed);
    else
      ::close(bell_.fd);
  }
  static void on_bell() noexcept {
    const foreign_visit inside(nullptr);  // also for a worker: it may have seen the bell while its run ends
    if (inside.admitted())
      start_internal_fiber("signals", [](void*) { instance().deliver(); }, nullptr);
    else
      for_thread.post();
  }

  list::iterator find_locked(const send_chan<int>& c) noexcept {
    return std::ranges::find_if(registrations_,
                                [&](const registration_handle& r) { return r->channel && r->channel == c; });
  }
  void take_over_locked(signal_set fresh) noexcept {
    for_each_signal(fresh, [&](int s) { dispositions_[s].take_over(s); });
  }
  // What arrived while it was there is its own: delivered before it goes.
  registration_handle take_out_locked(list::iterator gone) noexcept {
    if (gone == registrations_.end()) return nullptr;
    for_each_signal((*gone)->which, [&](int s) { dispositions_[s].give_back(s); });
    deliver_arrived_locked();
    if (next_to_tell_locked()) ring();
    registration_handle last = std::move(*gone);
    registrations_.erase(gone);
    forget_outside_event();
    return last;
  }

  void deliver_arrived_locked() noexcept {
    for_each_signal(take_arrived(), [&](int s) { deliver_locked(s); });
  }
  void deliver_locked(int signal) noexcept {
    bool taken = false;
    for (const registration_handle& r : registrations_) {
      if ((r->which & only(signal)) == 0) continue;
      taken = true;
      if (r->channel) {
        send(*r, signal);
      } else if (r->signal == 0) {
        r->signal = signal;
      }
    }
    if (!taken) dispositions_[signal].pass_on(signal);
  }
  static void send(const registration& r, int signal) noexcept {
    try {
      static_cast<void>(r.channel.try_send(signal));
    } catch (const std::logic_error&) {
      // closed: nobody hears it any more, and stop() ends the registration
    }
  }

  registration_handle next_to_tell_locked() noexcept {
    for (const registration_handle& r : registrations_)
      if (r->signal != 0 && !r->told.ctx.err()) return r;
    return nullptr;
  }
  registration_handle deliver_until_one_is_to_be_told() noexcept {
    const locked hold(*this);
    deliver_arrived_locked();
    return next_to_tell_locked();
  }
  void deliver() noexcept {
    while (const registration_handle r = deliver_until_one_is_to_be_told()) r->told.cancel(cause_of(r->signal));
  }
  [[noreturn]] static void deliver_for_ever() noexcept {
    for (;;) {
      for_thread.wait();
      instance().deliver();
    }
  }

  descriptor bell_;
  std::mutex mutex_;
  list registrations_;
  std::array<disposition, k_last_signal + 1> dispositions_;
};

void unregister::operator()() const noexcept { hub::instance().remove(ended); }

bool may_register(int signal) noexcept {
  for (const int never : {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGURG})
    if (signal == never) return false;
  return (signal > 0 && signal < 32) ||
         (signal >= SIGRTMIN && signal <= SIGRTMAX);  // those between are the C library's
}

signal_set checked(const char* caller, std::initializer_list<int> which) {
  signal_set set = 0;
  for (const int s : which) {
    if (!may_register(s))
      throw std::logic_error(std::string("weft::signals::") + caller + ": signal " + std::to_string(s) +
                             " cannot be registered");
    set |= only(s);
  }
  if (which.size() == 0)
    for (int s = 1; s <= k_last_signal; ++s)
      if (may_register(s)) set |= only(s);
  return set;
}

}  // namespace
}  // namespace weft::runtime

namespace weft::signals {

using namespace runtime;

void notify(const send_chan<int>& c, std::initializer_list<int> which) {
  if (!c) throw std::logic_error("weft::signals::notify: null channel");
  refuse_in_bubble("weft::signals::notify");
  auto r = std::make_shared<registration>();
  r->which = checked("notify", which);
  r->channel = c;
  hub::instance().add(std::move(r));
}

void stop(const send_chan<int>& c) { hub::instance().remove(c); }

cancelable notify_context(const context& parent, std::initializer_list<int> which) {
  refuse_in_bubble("weft::signals::notify_context");
  auto r = std::make_shared<registration>();
  r->which = checked("notify_context", which);
  // Two, so that the signal cancels what the user sees and only the user, or the parent, ends the registration.
  cancelable outer = with_cancel(parent);
  std::stop_token end = outer.ctx.stop_token();
  r->told = with_cancel(outer.ctx);
  cancelable given{r->told.ctx, std::move(outer.cancel)};
  hub::instance().add(r);
  r->on_end.emplace(std::move(end), unregister{r.get()});
  return given;
}

}  // namespace weft::signals
