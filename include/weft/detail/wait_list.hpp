// Where fibers and foreign threads queue: a small lock and a first-in-first-out list. The untyped half of the
// synchronisation primitives.
#pragma once
#include <atomic>
#include <cstdint>

#include "weft/detail/atomic_of.hpp"
#include "weft/detail/config.hpp"

namespace weft::detail {

struct wait_node;  // of whoever waits, in its control block or on its stack

struct wait_list {
  atomic_of<bool> locked{false};
  wait_node* head = nullptr;
  wait_node* tail = nullptr;
};

}  // namespace weft::detail
