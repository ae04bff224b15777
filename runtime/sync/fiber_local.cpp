#include "weft/fiber_local.hpp"

#include <utility>

#include "runtime/sched/park.hpp"

namespace weft::detail {

using namespace runtime;

std::uint64_t next_local_key() noexcept {
  static constinit atomic<std::uint64_t> last{0};
  return last.fetch_add(1, relaxed) + 1;
}

local_value* find_local(std::uint64_t key) {
  fiber* self = current_fiber();
  for (local_value** at = &self->locals; *at != nullptr; at = &(*at)->next) {
    local_value* found = *at;
    if (found->key != key) continue;
    *at = found->next;
    found->next = std::exchange(self->locals, found);
    return found;
  }
  return nullptr;
}

void add_local(local_value* v) {
  fiber* self = current_fiber();
  v->next = std::exchange(self->locals, v);
}

}  // namespace weft::detail
