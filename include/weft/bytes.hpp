// Views of memory that input and output go to and come from: any contiguous range of characters or bytes is one.
#pragma once
#include <concepts>
#include <cstddef>
#include <ranges>
#include <string_view>
#include <type_traits>

namespace weft {

namespace detail {
template <class T>
concept byte_like = std::same_as<T, char> || std::same_as<T, unsigned char> || std::same_as<T, signed char> ||
                    std::same_as<T, std::byte> || std::same_as<T, char8_t>;
template <class R>
concept byte_range = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
                     byte_like<std::remove_cv_t<std::remove_reference_t<std::ranges::range_reference_t<R>>>>;
template <class R>
concept mutable_byte_range =
    byte_range<R> && !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<R>>>;
}  // namespace detail

// Where input goes: std::span, std::array, std::vector, std::string, char[N]. It owns nothing.
class mutable_bytes {
 public:
  constexpr mutable_bytes() noexcept = default;
  constexpr mutable_bytes(void* data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <class R>
    requires(detail::mutable_byte_range<R> && (std::is_lvalue_reference_v<R> || std::ranges::borrowed_range<R>) &&
             !std::same_as<std::remove_cvref_t<R>, mutable_bytes>)
  constexpr mutable_bytes(R&& r) noexcept : data_(std::ranges::data(r)), size_(std::ranges::size(r)) {}

  constexpr void* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

// What output comes from: the same, std::string_view, and text in quotes without its terminator. It owns nothing.
class const_bytes {
 public:
  constexpr const_bytes() noexcept = default;
  constexpr const_bytes(const void* data, std::size_t size) noexcept : data_(data), size_(size) {}
  constexpr const_bytes(mutable_bytes b) noexcept : data_(b.data()), size_(b.size()) {}
  template <std::size_t N>
  constexpr const_bytes(const char (&text)[N]) noexcept : data_(text), size_(N - 1) {}
  template <std::size_t N>
  constexpr const_bytes(char (&buffer)[N]) noexcept : data_(buffer), size_(N) {}
  template <class R>
    requires(detail::byte_range<R> && !std::is_array_v<std::remove_cvref_t<R>>)
  constexpr const_bytes(const R& r) noexcept : data_(std::ranges::data(r)), size_(std::ranges::size(r)) {}

  constexpr const void* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }

 private:
  const void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace weft
