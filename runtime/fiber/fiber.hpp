// The control block of a fiber, or of a foreign thread that waits like one.
//
// Invariants
// 1. Control blocks are type-stable: slabs of them are never unmapped and the wait word's generation never goes back,
// so whoever kept a
//    pointer and a generation may look at any time (fiber_pool.hpp).
// 2. An unstarted fiber is a closure: it has no stack. One is bound when the fiber first runs.
// 3. `next` belongs to whichever queue the fiber is in; a fiber is in at most one.
// 4. Fields without atomics belong to the fiber while it runs, and to whoever makes it ready in between.
#pragma once
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string_view>

#include "runtime/base/cache_line.hpp"
#include "runtime/base/futex.hpp"
#include "runtime/base/spin_lock.hpp"
#include "runtime/fiber/execution.hpp"
#include "runtime/fiber/wait_node.hpp"
#include "runtime/fiber/wait_word.hpp"
#include "weft/detail/interrupt.hpp"
#include "weft/detail/launch.hpp"
#include "weft/detail/local_value.hpp"

namespace weft::runtime {

struct stack;
struct fiber;
struct bubble_state;

enum class wait_reason : std::uint8_t {
  none,
  channel_receive,
  channel_send,
  select,
  select_empty,
  sleep,
  mutex_lock,
  wait_group,
  condition_variable,
  semaphore,
  shared_mutex_lock,
  shared_mutex_lock_shared,
  join,
  waiter,
  nil_channel,
  after_func,
  processors,
  network_accept,
  network_connect,
  network_read,
  network_write,
  descriptor_readable,
  descriptor_writable,
  synctest_wait,
  bubble,
  count
};
std::string_view name_of(wait_reason) noexcept;

// Whether a fiber is in a bubble (sched/bubble.hpp), and if so, whether it is durably blocked there.
enum class bubble_role : std::uint8_t { outside, awake, asleep };

enum class fiber_phase : std::uint8_t { free, foreign, unstarted, started };

// Bits of fiber::cancel.
inline constexpr std::uint32_t k_bound_canceled = 1;  // the bound context is cancelled
inline constexpr std::uint32_t k_run_ended = 2;       // the runtime ends: thrown at, bound or not
// Of fiber::cancel_given, which has k_run_ended as well.
inline constexpr std::uint32_t k_given_canceled = 1;  // the context that its system call was given

// A membership in a context's list: of a bound fiber, or of one wait or one system call under an explicit context.
struct cancel_link {
  cancel_link* next = nullptr;
  cancel_link* prev = nullptr;
  fiber* waiter = nullptr;
  std::uint32_t generation = 0;
  bool one_wait = false;
  bool one_call = false;
  atomic<bool> linked{
      false};  // written under the context's lock; false tells the owner that nobody looks at the link any more
};

struct worker;

struct alignas(k_cache_line) fiber : execution {
  static constexpr std::size_t k_label_size = 23;

  // What a wait and a wake touch.
  wait_word word;
  fiber* next = nullptr;
  atomic<std::uint32_t> cancel{0};
  std::uint16_t shields = 0;             // open shield scopes
  atomic<std::uint16_t> no_preempts{0};  // open no_preempt scopes; written by the fiber alone
  std::uint16_t thread_locks = 0;        // lock_os_thread, not yet undone
  atomic<fiber_phase> phase{fiber_phase::free};
  atomic<wait_reason> reason{wait_reason::none};
  bool migratable = false;
  bool heeds = false;  // `heeded` is not null; here, where a switch looks anyway
  bool homed = false;  // `home` is not null; the same
  bubble_role role = bubble_role::outside;
  atomic<std::int64_t> waits_since{0};  // by the coarse clock
  detail::wait_node wait;               // of a wait in a single queue

  // What cuts the running fiber short (sched/interrupts.hpp): of the flags `cancel` and `cancel_given` the one that
  // ends what it does now, or null; the worker it does it on; what it does, the innermost first, its own alone.
  atomic<const atomic<std::uint32_t>*> heeded{nullptr};
  atomic<worker*> heeds_on{nullptr};
  detail::interrupt_record* interrupts = nullptr;
  atomic<std::uint32_t> cancel_given{0};

  runtime::stack* stack = nullptr;
  worker* home = nullptr;       // the only worker that may run it now: it locked that thread, or waits in its handler
  std::int64_t slice_left = 0;  // of a preempted fiber
  bool turn_owed = false;       // it was taken out of its turn because it had waited long
  spin_lock own_lock;           // of `own`; below it a context's
  std::uint16_t waits_on = 0;   // the bubble of the channels it waits on, by its tag

  // What it runs: entry(this), which runs body on the closure and takes leave of everything above the scheduler.
  void (*entry)(fiber*) = nullptr;
  detail::fiber_body body{};
  alignas(detail::k_closure_alignment) std::byte closure[detail::k_inline_closure];

  // Who it is.
  atomic<std::uint64_t> id{0};  // this and the next two are read by dumps while others run
  atomic<std::source_location> site{};
  std::size_t stack_size = 0;
  atomic<std::uint8_t> name_length{0};
  atomic<char> name[k_label_size]{};

  // What it is bound to: one counted reference to `bound`; `link` is in the list of the context that can cancel it.
  detail::context_node* bound = nullptr;
  cancel_link link;
  atomic<detail::own_context*> own{nullptr};  // of a task, in place of `bound`, until it asks for it

  detail::local_value* locals = nullptr;  // values of fiber_locals, the last used first

  note foreign_wake;  // what a foreign thread sleeps on
  atomic<bubble_state*> bubble{nullptr};

  void set_home(worker* m) noexcept {
    home = m;
    homed = m != nullptr;
  }
  bool is_foreign() const noexcept { return phase.load(relaxed) == fiber_phase::foreign; }
  // A copy into `out`; gives its length. Torn at worst, when it is renamed in this moment.
  std::size_t copy_label(char (&out)[k_label_size]) const noexcept;
  void set_label(std::string_view text) noexcept;
};

// Destroys the values of fiber_locals, the last used first, and those that their destructors make. On the fiber, or the
// foreign thread, itself; user code.
void destroy_locals(fiber*) noexcept;

}  // namespace weft::runtime
