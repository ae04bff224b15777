// What a lifecycle tells, in words.
#include <algorithm>
#include <array>
#include <ostream>

#include "weft/lifecycle.hpp"

namespace weft {
namespace {

// What an exception says of itself.
std::string text_of(const std::exception_ptr& e) {
  if (e == nullptr) return "nothing";
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& error) {
    return error.what();
  } catch (const canceled& c) {
    return c.code().message();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

long long milliseconds(clock::duration d) {
  return static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

void print(std::ostream& out, const char* what, const debug::fiber_info& f) {
  out << what << ": fiber " << static_cast<std::uint64_t>(f.id) << " '" << f.name << "', " << f.state;
  if (!f.wait_reason.empty()) out << ": " << f.wait_reason << " for " << milliseconds(f.waited) << " ms";
  out << ", spawned at " << f.spawned_at << '\n';
}

}  // namespace

std::string_view name_of(lifecycle_phase p) noexcept {
  static constexpr std::array<std::string_view, 5> names{"starting", "ready", "draining", "compensating", "terminated"};
  return names[static_cast<std::size_t>(p)];
}

std::string_view name_of(hook_outcome o) noexcept {
  static constexpr std::array<std::string_view, 5> names{"completed", "failed", "timed out", "cut short", "skipped"};
  return names[static_cast<std::size_t>(o)];
}

bool lifecycle_report::clean() const noexcept {
  return failures.empty() && unfinished.empty() && left.empty() &&
         std::ranges::all_of(hooks, [](const hook_report& h) { return h.outcome == hook_outcome::completed; });
}

std::ostream& operator<<(std::ostream& out, const lifecycle_report& r) {
  out << "shutdown: " << text_of(r.cause) << '\n';
  for (const hook_report& h : r.hooks) {
    out << name_of(h.phase) << " '" << h.name << "': " << name_of(h.outcome);
    if (h.outcome != hook_outcome::skipped) out << " after " << milliseconds(h.took) << " ms";
    if (h.error != nullptr) out << ": " << text_of(h.error);
    out << '\n';
  }
  for (const auto& f : r.failures) out << "fiber '" << f.name << "' failed: " << text_of(f.error) << '\n';
  for (const debug::fiber_info& f : r.unfinished) print(out, "unfinished", f);
  for (const debug::fiber_info& f : r.left) print(out, "left", f);
  return out;
}

}  // namespace weft
