// weft::http::headers.
#include "weft/http/headers.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "runtime/http/text.hpp"

namespace weft::http {
namespace {

void check(std::string_view name, std::string_view value) {
  using namespace std::string_view_literals;
  if (!detail::is_token(name)) throw std::invalid_argument("weft: a header's name is no token");
  if (value.find_first_of("\r\n\0"sv) != std::string_view::npos)
    throw std::invalid_argument("weft: a header's value has a line break or NUL in it");
}

}  // namespace

std::string_view headers::get(std::string_view name) const noexcept {
  for (const field& f : all())
    if (detail::same_word(f.name, name)) return f.value;
  return {};
}

std::size_t headers::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(all(), [&](const field& f) { return detail::same_word(f.name, name); }));
}

bool headers::has_token(std::string_view name, std::string_view token) const noexcept {
  return std::ranges::any_of(
      all(), [&](const field& f) { return detail::same_word(f.name, name) && detail::lists(f.value, token); });
}

void headers::add(std::string_view name, std::string_view value) {
  check(name, value);
  if (count_ == fields_.size()) fields_.emplace_back();
  fields_[count_].name = name;
  fields_[count_].value = value;
  ++count_;
}

void headers::set(std::string_view name, std::string_view value) {
  check(name, value);
  for (field& f : std::span(fields_.data(), count_))
    if (detail::same_word(f.name, name)) {
      if (count(name) == 1) {
        f.value = value;
        return;
      }
      break;
    }
  const field kept{std::string(name), std::string(value)};  // the views may be of a field that goes
  erase(name);
  add(kept.name, kept.value);
}

void headers::erase(std::string_view name) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count_; ++i)
    if (!detail::same_word(fields_[i].name, name)) std::swap(fields_[kept++], fields_[i]);
  count_ = kept;
}

}  // namespace weft::http
