// A global that is constructed at compile time and never destroyed: threads may outlive main's statics.
#pragma once

namespace weft::runtime {

template <class T>
union no_destroy {
  constexpr no_destroy() noexcept : value() {}
  ~no_destroy() {}
  T value;
};

}  // namespace weft::runtime
