#include "runtime/fiber/fiber.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/fiber/fiber_pool.hpp"

namespace weft::runtime {

std::string_view name_of(wait_reason r) noexcept {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(wait_reason::count)> names{
      "",           "channel receive", "channel send", "select", "select (no cases)", "sleep",
      "mutex lock", "wait group",      "join",         "waiter", "nil channel",       "after_func running"};
  const auto i = static_cast<std::size_t>(r);
  return i < names.size() ? names[i] : "?";
}

type_stable_pool<fiber>& fibers() noexcept {
  static constinit type_stable_pool<fiber> pool;
  return pool;
}

void fiber::set_label(std::string_view text) noexcept {
  const std::size_t n = std::min(text.size(), sizeof name);
  name_length.store(0, release);  // a dump that looks now sees no name rather than half of one
  if (n != 0) std::memcpy(name, text.data(), n);
  name_length.store(static_cast<std::uint8_t>(n), release);
}

}  // namespace weft::runtime
