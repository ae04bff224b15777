// The header fields of a message.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/detail/config.hpp"

namespace weft::http {

struct field {
  std::string name;  // as it was written
  std::string value;
};

// In the order in which they came. Names are compared without regard to case. For one fiber at a time; nothing here
// blocks. What get() gives lives until the fields are changed.
class WEFT_API headers {
 public:
  // The first one's value; empty where there is none.
  std::string_view get(std::string_view name) const noexcept;
  std::size_t count(std::string_view name) const noexcept;
  bool has(std::string_view name) const noexcept { return count(name) != 0; }
  // Whether a token is among the comma-separated ones of all fields of that name: has_token("Connection", "close").
  bool has_token(std::string_view name, std::string_view token) const noexcept;
  std::span<const field> all() const noexcept { return {fields_.data(), count_}; }

  // A name that is no token, or a value with a line break or NUL in it, throws std::invalid_argument: nobody's input
  // becomes a header of its own.
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);  // in place of all of that name
  void erase(std::string_view name) noexcept;
  void clear() noexcept { count_ = 0; }

 private:
  // Those beyond count_ are spare: a connection's next message uses their memory again.
  std::vector<field> fields_;
  std::size_t count_ = 0;
};

}  // namespace weft::http
