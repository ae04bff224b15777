// interruptible(f): a signal at every instruction between a cancel and what the cancelled wait throws. x86-64 alone has
// the means: with its trap flag set a thread gets SIGTRAP after each instruction.
//
//   f                                          the monitor
//   -                                          -----------
//   is woken out of recv(): cancelled
//                                              sees f run and the flag set: SIGURG
//   between the wait and the throw, in code
//   of weft's, linked into f's object file:
//   f would be abandoned, and nothing thrown
#if defined(__x86_64__)
#include "runtime/event/interrupt.hpp"

#include <signal.h>
#include <ucontext.h>

#include <string>
#include <weft/file.hpp>

#include "runtime/sched/park.hpp"
#include "runtime/sched/worker.hpp"
#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::expect;

namespace {

constexpr long long k_trap_flag = 0x100;

// Of the one thread that is stepped through.
std::atomic<const runtime::fiber*> struck{nullptr};
std::atomic<long> strikes{0};

// Strikes the fiber as SIGURG's handler would, if it stands outside the runtime.
void on_step(int, siginfo_t*, void* frame) {
  auto& u = *static_cast<ucontext_t*>(frame);
  const runtime::fiber* const target = struck.load(std::memory_order_relaxed);
  if (target == nullptr) {
    u.uc_mcontext.gregs[REG_EFL] &= ~k_trap_flag;
    return;
  }
  runtime::worker* const m = runtime::this_worker();
  if (m == nullptr || m->in.load(runtime::relaxed) != 0) return;
  runtime::fiber* const f = m->current.load(runtime::relaxed);
  if (f != target) return;
  if (runtime::view_of(m).exceptions->uncaught != 0) {  // thrown
    struck = nullptr;
    return;
  }
  ++strikes;
  runtime::interrupt_running(runtime::view_of(m), *f, u, m->mask);
}

// From here on this thread goes step by step.
void begin_stepping(const runtime::fiber* target) {
  strikes = 0;
  struck = target;
  // Past the red zone, where the compiler may have put something.
  asm volatile("subq $128, %%rsp\n\tpushfq\n\torq %0, (%%rsp)\n\tpopfq\n\tleaq 128(%%rsp), %%rsp" ::"i"(k_trap_flag)
               : "memory", "cc");
}
void end_stepping() { struck = nullptr; }

std::string labelled(std::string_view reason, std::string_view how) {
  std::string s(reason);
  s += ": ";
  s += how;
  return s;
}

// f waits for `reason`, or for its turn if that is empty, and is cancelled; gives how f ended.
template <class F>
std::string end_of_wait(expect& e, std::string_view reason, F f) {
  auto [ctx, cancel] = with_cancel(background());
  std::atomic<const runtime::fiber*> self{nullptr};
  auto t = spawn(ctx, [&]() -> std::string {
    self = runtime::running_fiber();
    try {
      return interruptible(f) ? "returned" : "abandoned";
    } catch (const canceled&) {
      return "thrown";
    }
  });
  if (!reason.empty()) test::await_waiting(reason, 1);
  while (self == nullptr) this_fiber::yield();
  begin_stepping(self);
  cancel();
  std::string how = t.join();
  end_stepping();
  e(strikes > 0);
  return labelled(reason, how);
}

}  // namespace

TEST_CASE("interruptible: a wait that a cancel ends throws, wherever a signal strikes after it") {
  struct sigaction step{};
  struct sigaction before{};
  step.sa_sigaction = on_step;
  step.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaddset(&step.sa_mask, SIGURG);
  ::sigaction(SIGTRAP, &step, &before);
  expect seen;
  // Nothing but a park moves a fiber to another thread, which would not go step by step.
  run({.processors = 1, .preemption = false}, [&] {
    expect& e = seen;
    const auto check = [&]<class F>(std::string_view reason, F f) {
      e.equal(end_of_wait(e, reason, f), labelled(reason, "thrown"));
    };
    const chan<int> c, d;
    check("", [] { this_fiber::yield(); });
    check("channel receive", [&] { c.recv(); });
    check("channel send", [&] { c.send(1); });
    const chan<std::string> texts;
    check("channel receive", [&] { texts.recv(); });
    check("select", [&] { select(recv(c), recv(d)); });
    check("select (no cases)", [] { select(); });
    check("nil channel", [] { chan<int>(nullptr).recv(); });
    check("sleep", [] { this_fiber::sleep_for(1h); });
    wait_group g;
    g.add(1);
    check("wait group", [&] { g.wait(); });
    g.done();
    semaphore s{1};
    s.acquire();
    check("semaphore", [&] { s.acquire(); });
    mutex m;
    m.lock();
    condition_variable changed;
    check("condition variable", [&] { changed.wait(m); });
    chan<void> ends;
    auto other = spawn([&] { ends.recv(); });
    check("join", [&] { other.join(); });
    ends.send();
    auto [reader, writer] = io::pipe().value();
    check("descriptor readable", [&] { (void)wait_readable(reader.native_handle()); });
    check("descriptor readable", [&] {
      std::byte b;
      (void)reader.read({&b, 1});
    });
  });
  ::sigaction(SIGTRAP, &before, nullptr);  // all threads that went step by step have ended
  seen.report();
}
#endif
