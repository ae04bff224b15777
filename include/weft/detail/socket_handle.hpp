// How a handle names a descriptor that weft has open.
#pragma once
#include <cstdint>

namespace weft::runtime {
struct socket_record;
}

namespace weft::detail {

// The record's memory lives for ever; another sequence in it than this one means that the descriptor is gone.
struct socket_handle {
  runtime::socket_record* record = nullptr;
  std::uint32_t sequence = 0;
};

}  // namespace weft::detail
