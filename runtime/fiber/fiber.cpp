#include "runtime/fiber/fiber.hpp"

#include <algorithm>
#include <array>

#include "runtime/fiber/fiber_pool.hpp"

namespace weft::runtime {

std::string_view name_of(wait_reason r) noexcept {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(wait_reason::count)> names{
      "",
      "channel receive",
      "channel send",
      "select",
      "select (no cases)",
      "sleep",
      "mutex lock",
      "wait group",
      "condition variable",
      "semaphore",
      "shared mutex lock",
      "shared mutex lock_shared",
      "join",
      "waiter",
      "nil channel",
      "after_func running",
      "set_processors",
      "network accept",
      "network connect",
      "network read",
      "network write",
      "descriptor readable",
      "descriptor writable",
      "synctest wait",
      "bubble"};
  const auto i = static_cast<std::size_t>(r);
  return i < names.size() ? names[i] : "?";
}

type_stable_pool<fiber>& fibers() noexcept {
  static constinit type_stable_pool<fiber> pool;
  return pool;
}

void destroy_locals(fiber* f) noexcept {
  while (detail::local_value* v = f->locals) {
    f->locals = v->next;
    v->destroy(v);
  }
}

void fiber::set_label(std::string_view text) noexcept {
  const std::size_t n = std::min(text.size(), k_label_size);
  name_length.store(0, release);  // a dump that looks now sees no name rather than half of one
  for (std::size_t i = 0; i < n; ++i) name[i].store(text[i], relaxed);
  name_length.store(static_cast<std::uint8_t>(n), release);
}

std::size_t fiber::copy_label(char (&out)[k_label_size]) const noexcept {
  const std::size_t n = name_length.load(acquire);
  for (std::size_t i = 0; i < n; ++i) out[i] = name[i].load(relaxed);
  return n;
}

}  // namespace weft::runtime
