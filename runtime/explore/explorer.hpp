// One schedule, drawn from a seed: the threads of a runtime as coroutines of one thread, of which one runs at a time.
//
// The runtime's own code runs, scheduler and all, with a worker for each processor; only what lies below it is other:
// its atomics ask at each operation who goes on (detail/atomic_of.hpp), a futex parks a coroutine, the clock is a
// number. Given the seed and the program, all that follows is determined.
//
// Stores are seen late: detail/atomic_of.hpp. One that is kept back becomes visible, at the latest, when its thread
// sleeps or somebody spins.
//
// Time passes when nobody can go on, to the next deadline of a sleeping thread; a little with each look at the clock;
// and, as the seed will have it, up to `slack` while others could still go on, so that timers fire beside what runs.
//
// Who runs next. random: any of those that can, or, so that seeds differ in kind, the one that runs goes on with a
// probability of 0, 1/2, 3/4 or 7/8. pct: the one of the highest priority; priorities are drawn, and at depth - 1
// points, drawn too, that of the running one becomes the lowest, as does that of one that spins. Source: Burckhardt et
// al., A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs.
#pragma once
#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/base/thread_locals.hpp"
#include "weft/detail/atomic_of.hpp"
#include "weft/synctest.hpp"

namespace weft::runtime {

// A thread of the runtime's; the first is the one that called run.
struct explored_thread {
  enum class phase : std::uint8_t { ready, sleeping, ended };
  boost::context::detail::fcontext_t registers = nullptr;
  void (*run)(void*) = nullptr;
  void* argument = nullptr;
  worker* here = nullptr;
  __cxa_eh_globals_view exceptions{nullptr, 0};
  phase state = phase::ready;
  const void* sleeps_on = nullptr;
  std::int64_t until = 0;
  std::int64_t priority = 0;
  unsigned index = 0;
  std::deque<detail::kept_store> kept;
};

class explorer {
 public:
  void begin(const synctest::explore_options&, std::uint64_t seed);
  void end() noexcept { active_ = false; }
  bool active() const noexcept { return active_; }

  explored_thread* start(void (*run)(void*), void* argument);
  void join(explored_thread*) noexcept;

  void point(const char* operation, const void* place) noexcept;
  void spin(const void* place) noexcept;
  void sleep(const void* word, std::int64_t until) noexcept;
  void wake(const void* word, int count) noexcept;
  void keep(const detail::kept_store&) noexcept;
  const std::byte* kept(const void* place) const noexcept;
  void forget(const void* place) noexcept;
  void fence() noexcept { let_out(*running_, running_->kept.size()); }
  void fence_ordered() noexcept;
  void fence_all() noexcept;
  std::int64_t look_at_clock() noexcept { return now_ += 20; }
  std::uint64_t draw() noexcept { return std::uint64_t{random_.next()} << 32 | random_.next(); }
  bool chance(std::uint32_t one_in) noexcept { return random_.below(one_in) == 0; }

  // The schedule's last steps, on standard error; then nothing is explored any more. Usable in a signal handler.
  void write_steps() noexcept;
  long steps() const noexcept { return count_; }

 private:
  struct step {
    std::uint64_t fiber;
    const char* operation;
    const void* place;
    unsigned thread;
  };
  static constexpr std::size_t k_kept = 64;  // of the steps

  void record(const char* operation, const void* place) noexcept;
  void switch_to(explored_thread*) noexcept;
  explored_thread* choose(bool spins) noexcept;
  explored_thread* choose_by_priority() noexcept;
  explored_thread* earliest_sleeper() noexcept;
  void pass_time_to(explored_thread*) noexcept;
  void pass_some_time() noexcept;
  void go_on_elsewhere() noexcept;  // the running one cannot
  void let_out(explored_thread&, std::size_t count) noexcept;
  void let_some_out() noexcept;
  static void enter(boost::context::detail::transfer_t);

  bool active_ = false;
  random_source random_{1};
  std::int64_t now_ = 0;
  std::int64_t slack_ = 0;
  std::int64_t lowest_ = 0;
  long count_ = 0, max_ = 0;
  std::size_t kept_count_ = 0;  // of all threads
  long alone_ = 0;              // steps since the last switch
  std::uint32_t stays_ = 0;     // out of 8
  bool by_priority_ = false;
  std::vector<long> changes_;
  std::vector<explored_thread*> threads_;
  std::vector<explored_thread*> ready_;
  explored_thread* running_ = nullptr;
  step kept_[k_kept]{};
};

explorer& the_explorer() noexcept;

// Ends this process: the schedule has failed.
[[noreturn]] void explored_failure(const char* what, bool with_fibers) noexcept;

}  // namespace weft::runtime
