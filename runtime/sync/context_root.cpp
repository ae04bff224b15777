// The root of all contexts, and the nodes that its children hang on: made when they are first asked for, and never
// destroyed.
#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/sync/context_node.hpp"

namespace weft::runtime {
namespace {

constexpr std::size_t k_shards = 16;

struct root_nodes {
  cancel_node top{nullptr, nullptr};
  std::array<cancel_node*, k_shards> shards{};
};

constinit atomic<root_nodes*> made_roots{nullptr};

[[gnu::noinline]] root_nodes& make_roots() {
  static root_nodes* const r = [] {
    auto* made = new root_nodes;
    for (cancel_node*& shard : made->shards) {
      shard = new cancel_node(nullptr, &made->top);
      add_child(made->top, *shard);
    }
    return made;
  }();
  made_roots.store(r, release);
  return *r;
}

root_nodes& roots() {
  root_nodes* const r = made_roots.load(acquire);
  return r != nullptr ? *r : make_roots();
}

}  // namespace

cancel_node& root() noexcept { return roots().top; }

cancel_node* shard_of_root(const void* who) noexcept {
  return roots().shards[(reinterpret_cast<std::uintptr_t>(who) >> 7) % k_shards];
}

void revive_root() {
  root_nodes& r = roots();
  cancel_node& top = r.top;
  top.state.store(cancel_state::live, relaxed);
  top.told.store(false, relaxed);
  top.settled.store(false, relaxed);
  top.has_done.store(false, relaxed);
  top.done = nullptr;
  top.stop = nullptr;
  top.cause = {};
  for (cancel_node* shard : r.shards) {
    shard->state.store(cancel_state::live, relaxed);
    shard->told.store(false, relaxed);
    shard->settled.store(false, relaxed);
    if (!shard->registered) add_child(top, *shard);
  }
}

void cancel_root() noexcept { cancel(root(), cancel_state::canceled); }

}  // namespace weft::runtime
