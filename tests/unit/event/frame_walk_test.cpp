// The walk by our own reading of the unwind tables, against libgcc's: the same frames from wherever a signal strikes.
#include "runtime/event/frame_walk.hpp"

#include <pthread.h>
#include <signal.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "arch/arch.hpp"
#include "tests/support/support.hpp"

using namespace weft::runtime;

namespace {

constexpr std::size_t k_most = 64;

struct trace {
  std::array<std::uintptr_t, k_most> pc{};
  std::size_t count = 0;
  void add(std::uintptr_t at) {
    if (count < k_most) pc[count++] = at;
  }
};

// The stack of the thread that is struck is compared up to here.
std::atomic<std::uintptr_t> top{0};
std::atomic<long> compared{0}, wrong{0}, frames{0};

// libgcc's frames from the interrupted one on, as far as they lie below `top`.
struct collector {
  trace* out;
  std::uintptr_t from;
  std::uintptr_t below;
  bool begun;
};
_Unwind_Reason_Code collect(_Unwind_Context* c, void* p) {
  auto& into = *static_cast<collector*>(p);
  const std::uintptr_t pc = _Unwind_GetIP(c);
  into.begun |= pc == into.from;
  // Of a frame the "CFA" that libgcc tells is its callee's end: its own stack pointer.
  if (into.begun && _Unwind_GetCFA(c) > into.below) return _URC_END_OF_STACK;
  if (into.begun) into.out->add(pc);
  return _URC_NO_REASON;
}

void on_signal(int, siginfo_t*, void* frame) {
  const auto& u = *static_cast<const ucontext_t*>(frame);
  const std::uintptr_t high = top;
  if (high == 0) return;
  trace ours, theirs;
  frame_walk walk(u, high);
  do {
    ours.add(walk.pc());
  } while (walk.read() && walk.step() && ours.count < k_most);
  collector into{&theirs, weft::arch::frame_pc(u), high, false};
  _Unwind_Backtrace(&collect, &into);
  ++compared;
  frames += static_cast<long>(ours.count);
  const auto end = theirs.pc.begin() + static_cast<std::ptrdiff_t>(theirs.count);
  if (theirs.count == 0 || ours.count != theirs.count || !std::equal(theirs.pc.begin(), end, ours.pc.begin())) ++wrong;
}

std::atomic<unsigned> sink{0};

// Code of many kinds: recursion, large and realigned frames, calls back out of libc, calls through the linkage table.
[[gnu::noinline]] unsigned recurse(unsigned n) {
  if (n == 0) return sink.load(std::memory_order_relaxed);
  const unsigned a = recurse(n - 1);
  sink.store(a + n, std::memory_order_relaxed);
  return a + n;
}

[[gnu::noinline]] unsigned with_large_frame(unsigned n) {
  alignas(64) std::array<unsigned, 2000> room;
  for (unsigned i = 0; i < room.size(); i += 16) room[i] = i * n;
  sink.store(room[(n * 16) % room.size()], std::memory_order_relaxed);
  return recurse(n % 7) + room[(n * 32) % room.size()];
}

[[gnu::noinline]] unsigned with_array(unsigned n) {
  auto* room = static_cast<unsigned*>(__builtin_alloca(n % 500 * sizeof(unsigned) + 16));
  room[0] = n;
  sink.store(reinterpret_cast<std::uintptr_t>(room) & 1, std::memory_order_relaxed);
  return recurse(n % 5) + room[0];
}

int compare(const void* a, const void* b) {
  recurse(2);
  return *static_cast<const int*>(a) - *static_cast<const int*>(b);
}

[[gnu::noinline]] void called_back(unsigned n) {
  std::array<int, 20> all;
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>((i * 7 + n) % 13);
  std::qsort(all.data(), all.size(), sizeof all[0], &compare);
}

[[gnu::noinline]] void mixture(const std::atomic<bool>& stop) {
  for (unsigned n = 0; !stop; ++n) {
    recurse(n % 20);
    with_large_frame(n);
    with_array(n);
    called_back(n);
  }
}

[[gnu::noinline]] void struck(const std::atomic<bool>& stop) {
  char here = 0;
  top = reinterpret_cast<std::uintptr_t>(&here) & ~std::uintptr_t{15};
  mixture(stop);
  top = 0;
}

}  // namespace

// ThreadSanitizer delivers signals late, and its interceptors stand between.
TEST_CASE("frame_walk: sees the frames that libgcc sees, wherever it begins" * doctest::skip(WEFT_TSAN)) {
  struct sigaction ours{}, before{};
  ours.sa_sigaction = on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART;
  REQUIRE(::sigaction(SIGUSR2, &ours, &before) == 0);
  std::atomic<bool> stop{false};
  const long wanted = test::scale(5'000);
  std::thread t([&] { struck(stop); });
  while (compared < wanted) {
    const long seen = compared;
    ::pthread_kill(t.native_handle(), SIGUSR2);
    for (int i = 0; i < 1000 && compared == seen; ++i) weft::arch::pause();
    std::this_thread::yield();
  }
  stop = true;
  t.join();
  ::sigaction(SIGUSR2, &before, nullptr);
  CHECK(wrong == 0);
  CHECK(frames > 2 * wanted);  // it does see callers
}
