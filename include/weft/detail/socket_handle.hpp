// How a handle names a descriptor that weft has open.
#pragma once
#include <concepts>
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

// For those of weft's own templates that have a shorter way for two descriptors.
struct handle_access {
  template <class T>
  static auto of(const T& t) noexcept -> decltype(t.handle_) {
    return t.handle_;
  }
};
template <class T>
concept has_handle = requires(const T& t) {
  { handle_access::of(t) } -> std::same_as<socket_handle>;
};

}  // namespace weft::detail
