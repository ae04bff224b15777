#include "runtime/observe/snapshot.hpp"

#include <algorithm>
#include <array>

#include "runtime/base/clock.hpp"
#include "runtime/fiber/fiber_pool.hpp"
#include "runtime/observe/parked_stack.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/scheduler.hpp"

namespace weft::runtime {

std::string_view name_of(fiber_state s) noexcept {
  static constexpr std::array<std::string_view, 4> names{"unstarted", "runnable", "running", "waiting"};
  return names[static_cast<std::size_t>(s)];
}

bool is_live(const fiber& f) noexcept {
  const fiber_phase p = f.phase.load(acquire);
  return p == fiber_phase::unstarted || p == fiber_phase::started;
}

bool is_member(const fiber& f, const bubble_state& b) noexcept {
  return f.bubble.load(relaxed) == &b && &f != b.driver;
}

fiber_state state_of(const fiber& f) noexcept {
  if (f.phase.load(acquire) == fiber_phase::unstarted) return fiber_state::unstarted;
  if (f.word.waits()) return fiber_state::waiting;
  for (const worker* m = sched().all_workers; m != nullptr; m = m->next_all)
    if (m->current.load(relaxed) == &f)  // or interrupted, and without a processor
      return m->interrupted.load(relaxed) ? fiber_state::runnable : fiber_state::running;
  return fiber_state::runnable;
}

void describe_site(report& out, const fiber& f) noexcept {
  const std::source_location site = f.site.load(relaxed);
  out << std::string_view(site.file_name()) << ':' << static_cast<unsigned>(site.line());
}

void describe(report& out, const fiber& f) noexcept {
  const fiber_state state = state_of(f);
  out << "fiber " << f.id.load(relaxed);
  char name[fiber::k_label_size];
  if (const std::size_t n = f.copy_label(name); n != 0) out << " '" << std::string_view(name, n) << "'";
  out << ", " << name_of(state);
  if (state == fiber_state::waiting) {
    const std::int64_t waited = std::max<std::int64_t>(0, now_ns() - f.waits_since.load(relaxed));
    out << ": " << name_of(f.reason.load(relaxed)) << " for " << waited / 1'000'000 << " ms";
  }
  out << ", spawned at ";
  describe_site(out, f);
}

void dump_to_stderr(std::string_view headline, const bubble_state* of) noexcept {
  constexpr std::uint64_t k_most_stacks = 100;
  std::uint64_t count = 0;
  {
    report() << headline << '\n';
  }
  fibers().for_each([&](const fiber& f) {
    if (!is_live(f) || (of != nullptr && !is_member(f, *of))) return;
    {
      report line;
      describe(line, f);
      line << '\n';
    }
    if (++count <= k_most_stacks) write_stack(f);
  });
  report() << "weft: " << count << " fibers\n";
}

}  // namespace weft::runtime
