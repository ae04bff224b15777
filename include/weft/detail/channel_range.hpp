// Channels as input ranges.
#pragma once
#include "weft/channel.hpp"
#include "weft/context.hpp"

namespace weft::detail {

// Holds the value received last, so that * is cheap and ++ receives the next one.
template <class T>
class iterator {
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::input_iterator_tag;

  iterator() = default;
  iterator(iterator&&) = default;
  iterator& operator=(iterator&& o) noexcept {
    source_ = std::move(o.source_);
    until_ = std::move(o.until_);
    if (value_) value_.reset();
    if (o.value_) value_.emplace(std::move(*o.value_));
    return *this;
  }
  iterator(recv_chan<T> source, std::optional<context> until) : source_(std::move(source)), until_(std::move(until)) {
    ++*this;
  }

  T&& operator*() const noexcept { return std::move(*value_); }
  iterator& operator++() {
    value_.reset();
    if (!until_) {
      if (auto v = source_.recv()) value_.emplace(std::move(*v));
    } else if (auto v = source_.recv(*until_)) {
      value_.emplace(std::move(*v));
    }
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const noexcept { return !value_; }

 private:
  recv_chan<T> source_;
  std::optional<context> until_;
  mutable std::optional<T> value_;
};

template <class T>
class until_view : public std::ranges::view_interface<until_view<T>> {
 public:
  until_view() = default;
  until_view(recv_chan<T> source, const context& until) noexcept : source_(std::move(source)), until_(until) {}
  iterator<T> begin() const { return iterator<T>(source_, until_); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  recv_chan<T> source_;
  context until_;
};

}  // namespace weft::detail
