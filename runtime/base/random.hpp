// Small fast random numbers, one generator per processor. Source: Marsaglia's xorshift64* with Vigna's constants.
#pragma once
#include <cstdint>

namespace weft::runtime {

class random_source {
 public:
  explicit random_source(std::uint64_t seed) noexcept : state_(seed * 0x9e3779b97f4a7c15u | 1) {}

  std::uint32_t next() noexcept {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<std::uint32_t>((state_ * 0x2545f4914f6cdd1du) >> 32);
  }
  // Uniform in [0, bound) up to a bias of bound / 2^32 (Lemire's multiplication).
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{next()} * bound) >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace weft::runtime
