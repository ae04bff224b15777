// A bubble from beginning to end, and synctest::wait.
//
// The fiber that calls bubble() is its driver. It sleeps while a fiber of the bubble can go on (sched/bubble.hpp) and
// then does the one thing that remains: lets synctest::wait return; has the clock jump, and the timers fire; or ends
// the bubble.
#include "weft/synctest.hpp"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <string>

#include "runtime/fiber/fiber_pool.hpp"
#include "runtime/observe/snapshot.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/wait_scope.hpp"
#include "weft/fiber.hpp"
#include "weft/runtime.hpp"
#include "weft/wait_group.hpp"

namespace weft::runtime {
namespace {

constexpr int k_fatal_status = 2;

using main_function = void (*)(void*);

template <class Visit>
void each_member(const bubble_state& b, Visit visit) {
  fibers().for_each([&](fiber& f) {
    if (is_live(f) && is_member(f, b)) visit(f);
  });
}

std::string line_of(const fiber& f) {
  char name[fiber::k_label_size];
  const std::size_t length = f.copy_label(name);
  const std::source_location site = f.site.load(relaxed);
  std::string line = "fiber " + std::to_string(f.id.load(relaxed));
  if (length != 0) line += " '" + std::string(name, length) + "'";
  line += ", waiting: " + std::string(name_of(f.reason.load(relaxed))) + ", spawned at " + site.file_name() + ':' +
          std::to_string(site.line());
  return line;
}

class driver {
 public:
  explicit driver(fiber* self) noexcept {
    static constinit atomic<std::uint16_t> tags{0};
    do bubble_.tag = tags.fetch_add(1, relaxed);
    while (bubble_.tag == 0);
    bubble_.driver = self;
    self->bubble.store(&bubble_, relaxed);
    open_bubbles.fetch_add(1, relaxed);
  }
  ~driver() {
    open_bubbles.fetch_sub(1, relaxed);
    bubble_.driver->bubble.store(nullptr, relaxed);
  }
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;

  void run(main_function main, void* argument, std::source_location site) {
    const shield_scope not_a_point;
    detail::launch({.name = "bubble"}, site, [=, this] {
      try {
        main(argument);
      } catch (...) {
        if (!bubble_.ending.load(relaxed)) error_ = std::current_exception();  // else it was ended like the others
      }
      bubble_.main_ended.store(true, relaxed);
    });
    for (;;) {
      await_quiet(bubble_);
      if (bubble_.live.load(relaxed) == 0) break;
      if (!let_wait_return() && !advance()) end_the_rest();
    }
  }

  void rethrow() {
    if (error_) std::rethrow_exception(std::move(error_));
    if (bubble_.disturbed.load(relaxed))
      throw std::logic_error(
          "weft::synctest: a fiber of the bubble was woken from outside: its channels, timers and contexts are for its "
          "own fibers");
    if (!stuck_.empty()) throw synctest::deadlock(stuck_);
  }

 private:
  bool let_wait_return() noexcept {
    fiber* const waiter = bubble_.waiter.exchange(nullptr, relaxed);
    if (waiter == nullptr) return false;
    const section in;
    return wake(in.here(), waiter, bubble_.waiter_generation, 0);
  }

  // To the next timer, and whatever is due then. False: there is none that counts.
  bool advance() noexcept {
    const bool ending = bubble_.ending.load(relaxed);
    if (bubble_.main_ended.load(relaxed) && !ending) return false;
    const std::int64_t next = bubble_.timers.earliest();
    if (next == k_forever || (ending && next > ends_at_)) return false;
    const section in;
    const std::int64_t now = std::max(next, bubble_.now.load(relaxed));
    bubble_.now.store(now, relaxed);
    fiber_list due;
    bubble_.timers.run_due(now, due);
    ready(due);
    return true;
  }

  void end_the_rest() {
    if (bubble_.ending.load(relaxed)) {
      dump_to_stderr("weft: fatal: fibers of a bubble that do not end", &bubble_);
      ::_exit(k_fatal_status);
    }
    if (!error_) report_stuck();
    ends_at_ = saturating_add(bubble_.now.load(relaxed), sched().config.drain_ns);
    bubble_.ending.store(true, relaxed);
    const section in;
    fiber_list woken;
    each_member(bubble_, [&](fiber& f) { cancel_fiber(&f, k_run_ended, woken); });
    ready(woken);
  }

  void report_stuck() {
    const bool main_ended = bubble_.main_ended.load(relaxed);
    std::string text = "weft::synctest: deadlock: all fibers of the bubble are blocked";
    text += main_ended ? ", and its main function has returned" : ", and no timer is set";
    dump_to_stderr(text, &bubble_);
    each_member(bubble_, [&](const fiber& f) { text += "\n  " + line_of(f); });
    stuck_ = std::move(text);
  }

  bubble_state bubble_;
  std::exception_ptr error_;
  std::string stuck_;
  std::int64_t ends_at_ = 0;
};

void run_in_fiber(main_function main, void* argument, std::source_location site) {
  fiber* const self = running_fiber();
  if (self->bubble.load(relaxed) != nullptr)
    throw std::logic_error("weft::synctest::bubble: called inside a bubble; they do not nest");
  driver d(self);
  d.run(main, argument, site);
  d.rethrow();
}

}  // namespace
}  // namespace weft::runtime

namespace weft::detail {

using namespace runtime;

void run_bubble(void (*main)(void*), void* argument, std::source_location site) {
  if (running_fiber() != nullptr) return run_in_fiber(main, argument, site);
  if (!sched().running()) return weft::run([&] { run_in_fiber(main, argument, site); });
  wait_group over;
  std::exception_ptr error;
  over.add(1);
  launch({}, site, [&] {
    try {
      run_in_fiber(main, argument, site);
    } catch (...) {
      error = std::current_exception();
    }
    over.done();
  });
  over.wait();
  if (error) std::rethrow_exception(std::move(error));
}

}  // namespace weft::detail

namespace weft::synctest {

using namespace runtime;

deadlock::~deadlock() = default;

void wait() {
  fiber* const self = running_fiber();
  if (self == nullptr || self->role == bubble_role::outside)
    throw std::logic_error("weft::synctest::wait: called outside a bubble");
  throw_if_canceled(self);
  bubble_state& b = *self->bubble.load(relaxed);
  fiber* nobody = nullptr;
  if (!b.waiter.compare_exchange_strong(nobody, self, relaxed))
    throw std::logic_error("weft::synctest::wait: another fiber of the bubble waits already");
  wait_scope scope(nullptr);
  bool canceled;
  {
    section in;
    std::uint32_t generation;
    canceled = !scope.begin(self, generation);
    b.waiter_generation = generation;
    if (!canceled) {
      canceled = park(in, self, wait_reason::synctest_wait) == wait_word::k_canceled;
      scope.end();
    }
  }
  if (!canceled) return;
  b.waiter.store(nullptr, relaxed);
  throw_canceled(self);
}

#if !WEFT_EXPLORE
exploration explore(const explore_options&, const std::function<void()>&) {
  throw std::logic_error("weft::synctest::explore: this build of weft cannot; link weft::explore");
}
#endif

}  // namespace weft::synctest
