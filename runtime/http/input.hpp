// Bytes that the client has sent and nobody has taken yet.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include "weft/bytes.hpp"

namespace weft::http::detail {

class input {
 public:
  std::string_view view() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
  bool empty() const noexcept { return begin_ == end_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  void consume(std::size_t n) noexcept {
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Where more goes to, then filled(). Empty when `most` bytes wait to be taken.
  mutable_bytes room(std::size_t most) {
    if (end_ == capacity_ && begin_ != 0) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, size());
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == capacity_ && capacity_ < std::max(most, k_least)) {
      const std::size_t grown = std::min(std::max(2 * capacity_, k_least), std::max(most, k_least));
      std::unique_ptr<char[]> larger(new char[grown]);
      if (end_ != 0) std::memcpy(larger.get(), bytes_.get(), end_);
      bytes_ = std::move(larger);
      capacity_ = grown;
    }
    return {bytes_.get() + end_, capacity_ - end_};
  }
  void filled(std::size_t n) noexcept { end_ += n; }

 private:
  static constexpr std::size_t k_least = 4096;
  std::unique_ptr<char[]> bytes_;
  std::size_t begin_ = 0, end_ = 0, capacity_ = 0;
};

}  // namespace weft::http::detail
