// Asio's buffer sequences, read without Asio: a buffer is what has data() of type void* or const void* and size(); a
// sequence is one buffer or a range of them.
#pragma once
#include <array>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <system_error>

#include "weft/bytes.hpp"
#include "weft/error.hpp"

namespace weft::detail {

template <class B>
concept buffer = requires(const B& b) {
  { b.size() } -> std::convertible_to<std::size_t>;
  requires std::same_as<decltype(b.data()), void*> || std::same_as<decltype(b.data()), const void*>;
};

inline constexpr std::size_t k_most_parts = 16;

// At most k_most_parts of a sequence, those that hold something.
template <class Bytes>
class parts {
 public:
  template <class Sequence>
  explicit parts(const Sequence& s) {
    if constexpr (buffer<Sequence>) {
      add(s);
    } else {
      for (auto it = std::begin(s); it != std::end(s) && count_ < k_most_parts; ++it) add(*it);
    }
  }
  operator std::span<const Bytes>() const noexcept { return {all_.data(), count_}; }

 private:
  template <class B>
  void add(const B& b) {
    if (b.size() != 0) all_[count_++] = Bytes(b.data(), b.size());
  }
  std::array<Bytes, k_most_parts> all_;
  std::size_t count_ = 0;
};

// An error in a library's own type of error code: the system's number is kept where there is one.
template <class ErrorCode>
void assign_error(ErrorCode& to, const std::error_code& e) {
  if constexpr (std::same_as<ErrorCode, std::error_code>) {
    to = e;
  } else {
    int number = e.value();
    if (e.category() != std::system_category() && e.category() != std::generic_category())
      number = static_cast<int>(e == errc::canceled            ? std::errc::operation_canceled
                                : e == errc::deadline_exceeded ? std::errc::timed_out
                                : e == errc::closed            ? std::errc::bad_file_descriptor
                                                               : std::errc::io_error);
    to.assign(number, ErrorCode().category());  // a default-constructed one is of the system's category
  }
}

}  // namespace weft::detail
