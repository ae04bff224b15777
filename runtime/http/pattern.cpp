#include "runtime/http/pattern.hpp"

#include <algorithm>
#include <stdexcept>

#include "runtime/http/text.hpp"

namespace weft::http::detail {
namespace {

[[noreturn]] void refuse(std::string_view pattern, const char* why) {
  throw std::invalid_argument("weft: the pattern '" + std::string(pattern) + "' " + why);
}

bool is_name(std::string_view s) noexcept {
  if (s.empty() || (s[0] >= '0' && s[0] <= '9')) return false;
  return std::ranges::all_of(
      s, [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

segment parse_segment(std::string_view pattern, std::string_view part, bool last) {
  using enum segment::kind;
  if (part.empty()) {
    if (!last) refuse(pattern, "has an empty segment in it");
    return {rest, {}};
  }
  if (part.find_first_of("{}") == std::string_view::npos) {
    auto decoded = percent_decode(part);
    if (!decoded) refuse(pattern, "has a wrong escape in it");
    if (*decoded == "." || *decoded == "..") refuse(pattern, "matches no path: those are cleaned");
    return {literal, std::move(*decoded)};
  }
  if (part.front() != '{' || part.back() != '}') refuse(pattern, "has a wildcard that is not a whole segment");
  std::string_view name = part.substr(1, part.size() - 2);
  if (name == "$") {
    if (!last) refuse(pattern, "goes on after {$}");
    return {nothing, {}};
  }
  const bool all = name.ends_with("...");
  if (all) {
    if (!last) refuse(pattern, "goes on after a wildcard for the rest");
    name.remove_suffix(3);
  }
  if (!is_name(name)) refuse(pattern, "has a wildcard without a proper name");
  return {all ? rest : one, std::string(name)};
}

relation combine(bool a_has_more, bool b_has_more) noexcept {
  if (a_has_more) return b_has_more ? relation::overlapping : relation::wider;
  return b_has_more ? relation::narrower : relation::equal;
}

relation compare_methods(std::string_view a, std::string_view b) noexcept {
  if (a == b) return relation::equal;
  if (a.empty() || (a == "GET" && b == "HEAD")) return relation::wider;
  if (b.empty() || (b == "GET" && a == "HEAD")) return relation::narrower;
  return relation::disjoint;
}

relation compare_paths(const std::vector<segment>& a, const std::vector<segment>& b) noexcept {
  using enum segment::kind;
  bool a_has_more = false, b_has_more = false;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const auto x = a[i].what, y = b[i].what;
    if (x == rest || y == rest) return combine(a_has_more || y != rest, b_has_more || x != rest);
    if ((x == nothing) != (y == nothing)) return relation::disjoint;
    if (x == literal && y == literal && a[i].text != b[i].text) return relation::disjoint;
    a_has_more |= x == one && y == literal;
    b_has_more |= y == one && x == literal;
  }
  return a.size() == b.size() ? combine(a_has_more, b_has_more) : relation::disjoint;
}

}  // namespace

pattern pattern::parse(std::string_view text) {
  pattern p;
  p.text = text;
  std::string_view path = text;
  if (const std::size_t space = text.find_first_of(" \t"); space != std::string_view::npos) {
    p.method = text.substr(0, space);
    if (!is_token(p.method)) refuse(text, "has a method that is none");
    path.remove_prefix(std::min(text.find_first_not_of(" \t", space), text.size()));
  }
  if (!path.starts_with('/')) refuse(text, "has no path: it begins with a slash");
  do {
    path.remove_prefix(1);
    const std::size_t slash = path.find('/');
    p.segments.push_back(parse_segment(text, path.substr(0, slash), slash == std::string_view::npos));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
  } while (!path.empty());
  for (std::size_t i = 0; i < p.segments.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (p.segments[i].what != segment::kind::literal && p.segments[j].what == segment::kind::one &&
          p.segments[i].text == p.segments[j].text)
        refuse(text, "has two wildcards of one name");
  return p;
}

relation compare(const pattern& a, const pattern& b) noexcept {
  const relation methods = compare_methods(a.method, b.method), paths = compare_paths(a.segments, b.segments);
  if (methods == relation::disjoint || paths == relation::disjoint) return relation::disjoint;
  if (methods == relation::equal) return paths;
  if (paths == relation::equal || paths == methods) return methods;
  return relation::overlapping;
}

}  // namespace weft::http::detail
