#include "weft/debug.hpp"

#include <algorithm>
#include <ostream>
#include <string>

#include "runtime/base/clock.hpp"
#include "runtime/fiber/fiber_pool.hpp"
#include "runtime/observe/snapshot.hpp"

namespace weft::debug {

using namespace runtime;

std::vector<fiber_info> fibers() {
  std::vector<fiber_info> all;
  runtime::fibers().for_each([&](const fiber& f) {
    if (!is_live(f)) return;
    const fiber_state state = state_of(f);
    fiber_info i{};
    i.id = static_cast<fiber_id>(f.id.load(relaxed));
    char name[fiber::k_label_size];
    i.name.assign(name, f.copy_label(name));
    i.state = name_of(state);
    if (state == fiber_state::waiting) {
      i.wait_reason = name_of(f.reason.load(relaxed));
      i.waited = clock::duration(std::max<std::int64_t>(0, now_ns() - f.waits_since.load(relaxed)));
    }
    const std::source_location site = f.site.load(relaxed);
    i.spawned_at = std::string(site.file_name()) + ':' + std::to_string(site.line());
    all.push_back(std::move(i));
  });
  std::ranges::sort(all, {}, &fiber_info::id);
  return all;
}

void dump(std::ostream& out) {
  const auto all = fibers();
  for (const fiber_info& i : all) {
    out << "fiber " << static_cast<std::uint64_t>(i.id);
    if (!i.name.empty()) out << " '" << i.name << "'";
    out << ", " << i.state;
    if (!i.wait_reason.empty())
      out << ": " << i.wait_reason << " for " << std::chrono::duration_cast<std::chrono::milliseconds>(i.waited).count()
          << " ms";
    out << ", spawned at " << i.spawned_at << '\n';
  }
  out << "weft: " << all.size() << " fibers\n";
}

}  // namespace weft::debug
