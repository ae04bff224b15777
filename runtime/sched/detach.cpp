#include "runtime/sched/detach.hpp"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "runtime/base/membarrier.hpp"
#include "runtime/sched/preempt.hpp"
#include "runtime/sched/scheduler.hpp"

namespace weft::runtime {
namespace {

// The clock of one thread, as the kernel encodes it (pthread_getcpuclockid does the same, for a thread that must live).
clockid_t cpu_clock_of(int thread) noexcept {
  constexpr unsigned k_per_thread = 4, k_scheduled = 2;
  return static_cast<clockid_t>((~static_cast<unsigned>(thread) << 3) | k_per_thread | k_scheduled);
}

}  // namespace

bool detach(processor& p, std::uint32_t turn, overstay how) noexcept {
  scheduler& s = sched();
  worker* m = p.owner.load(acquire);
  if (m == nullptr || m->lent.load(acquire) != nullptr) return false;
  m->hold.fetch_or(worker::k_taking, seq_cst);
  if ((m->hold.load(relaxed) & worker::k_no_membarrier) != 0)
    full_fence();  // partner: the fence in section::wait_for_taker
  else
    heavy_fence();
  const bool outside = m->in.load(acquire) == 0;  // pairs with the release of section::leave
  // Outside it can end no turn until the hold is over. This thread may have lost its CPU since it looked.
  const fiber* const f = m->current.load(relaxed);
  const bool same = outside && m->p == &p && f != nullptr && p.tick.load(relaxed) == turn;
  const bool by_right = same && how == overstay::computes && f->no_preempts.load(relaxed) != 0;
  if (by_right) p.unsafe_since.store(0, relaxed);
  const bool taken = same && !by_right;
  if (taken) {
    s.blocked_workers.fetch_add(1, acq_rel);
    m->p = nullptr;
    m->detached.store(true, relaxed);
  }
  m->hold.fetch_and(~worker::k_taking, release);
  if (!taken) return false;
  // It is to be left alone while it is blocked: many calls end with EINTR.
  m->seen_cpu = cpu_time(*m);
  disarm_preemption(m);
  count_detached();
  end_turn(&p);
  p.tick.store(p.tick.load(relaxed) + 1, relaxed);
  hand_off(&p);
  return true;
}

std::int64_t cpu_time(const worker& m) noexcept {
  const int thread = m.thread_id.load(acquire);
  ::timespec t{};
  if (thread == 0 || ::clock_gettime(cpu_clock_of(thread), &t) != 0) return -1;
  return t.tv_sec * std::int64_t{1'000'000'000} + t.tv_nsec;
}

bool blocked_in_kernel(const worker& m) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/stat", m.thread_id.load(acquire));
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char text[128];
  const ssize_t n = ::read(fd, text, sizeof text);
  ::close(fd);
  if (n <= 0) return false;
  // The state is the letter behind the name, which stands in parentheses and is ours.
  const auto* end = static_cast<const char*>(std::memchr(text, ')', static_cast<std::size_t>(n)));
  return end != nullptr && end + 2 < text + n && end[2] != 'R';
}

}  // namespace weft::runtime
