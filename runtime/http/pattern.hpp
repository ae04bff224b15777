// One pattern of a route, and how two of them relate: as sets of requests.
//
// Source: the rules of Go's net/http.ServeMux since 1.22, without hosts.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::http::detail {

struct segment {
  enum class kind : std::uint8_t {
    literal,  // its text, decoded
    one,      // {name}: one segment that is not empty
    rest,     // {name...}, or a slash at the end: all that is left
    nothing   // {$}: an empty last segment
  };
  kind what;
  std::string text;  // the literal, or the name; a slash at the end has none
  bool operator==(const segment&) const = default;
};

struct pattern {
  std::string text;
  std::string method;  // empty: any
  std::vector<segment> segments;

  // Throws std::invalid_argument, naming what is wrong.
  static pattern parse(std::string_view text);
};

enum class relation : std::uint8_t { disjoint, equal, narrower, wider, overlapping };
relation compare(const pattern& a, const pattern& b) noexcept;

}  // namespace weft::http::detail
