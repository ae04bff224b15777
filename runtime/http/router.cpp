#include "runtime/http/router.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "runtime/http/text.hpp"

namespace weft::http::detail {
namespace {

// Without empty, "." and ".." segments; a slash at the end stays.
std::string clean(std::string_view path) {
  std::vector<std::string_view> kept;
  bool slash = false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    const std::string decoded = percent_decode(part).value_or(std::string());
    slash = part.empty() || decoded == "." || decoded == "..";
    if (decoded == ".." && !kept.empty()) kept.pop_back();
    if (!slash) kept.push_back(part);
    path.remove_prefix(end);
  }
  std::string cleaned;
  for (const std::string_view part : kept) (cleaned += '/') += part;
  if (slash || kept.empty()) cleaned += '/';
  return cleaned;
}

}  // namespace

void found::clear() noexcept {
  way = nullptr;
  values.clear();
  redirect.clear();
  allow.clear();
  malformed = false;
}

const route* router::leaf::of(std::string_view method) const noexcept {
  const route *by_get = nullptr, *any = nullptr;
  for (const route* r : routes) {
    if (r->what.method == method) return r;
    if (r->what.method == "GET" && method == "HEAD") by_get = r;
    if (r->what.method.empty()) any = r;
  }
  return by_get != nullptr ? by_get : any;
}

// One walk through the tree. Without a method it stops nowhere, and collects the methods of all leaves that match.
struct router::search {
  std::string_view method;
  bool collect;
  std::vector<std::string> values;  // of the wildcards on the way, in order
  std::set<std::string> methods;
  bool malformed = false;

  const route* end_at(const leaf& l) {
    if (!collect) return l.of(method);
    for (const route* r : l.routes) {
      methods.insert(r->what.method);
      if (r->what.method == "GET") methods.insert("HEAD");
    }
    return nullptr;
  }

  const route* into(const node& n, std::string_view rest, std::size_t end) {
    return end == std::string_view::npos ? end_at(n.here) : below(n, rest.substr(end + 1));
  }

  // `rest` follows a slash.
  const route* below(const node& n, std::string_view rest) {
    if (rest.empty())
      if (const route* const r = end_at(n.nothing)) return r;
    if (const route* const r = rest.empty() ? nullptr : by_segment(n, rest)) return r;
    if (n.rest.routes.empty()) return nullptr;
    auto decoded = percent_decode(rest);
    malformed |= !decoded;
    if (!decoded) return nullptr;
    values.push_back(std::move(*decoded));
    if (const route* const r = end_at(n.rest)) return r;
    values.pop_back();
    return nullptr;
  }

  const route* by_segment(const node& n, std::string_view rest) {
    const std::size_t end = rest.find('/');
    auto decoded = percent_decode(rest.substr(0, end));
    malformed |= !decoded;
    if (!decoded || decoded->empty()) return nullptr;
    if (const auto l = n.literals.find(*decoded); l != n.literals.end())
      if (const route* const r = into(*l->second, rest, end)) return r;
    if (n.one == nullptr) return nullptr;
    values.push_back(std::move(*decoded));
    if (const route* const r = into(*n.one, rest, end)) return r;
    values.pop_back();
    return nullptr;
  }
};

void router::add(std::string_view text, handler h) {
  auto added = std::make_unique<route>(pattern::parse(text), std::move(h));
  for (const auto& r : routes_) {
    const relation how = compare(added->what, r->what);
    if (how == relation::equal || how == relation::overlapping)
      throw std::invalid_argument("weft: the pattern '" + added->what.text + "' conflicts with '" + r->what.text + "'");
  }
  node* at = &root_;
  leaf* end = nullptr;
  for (const segment& s : added->what.segments) switch (s.what) {
      case segment::kind::literal: {
        std::unique_ptr<node>& next = at->literals[s.text];
        if (next == nullptr) next = std::make_unique<node>();
        at = next.get();
        break;
      }
      case segment::kind::one:
        if (at->one == nullptr) at->one = std::make_unique<node>();
        at = at->one.get();
        break;
      case segment::kind::nothing:
        end = &at->nothing;
        break;
      case segment::kind::rest:
        end = &at->rest;
        break;
    }
  (end != nullptr ? *end : at->here).routes.push_back(added.get());
  routes_.push_back(std::move(added));
}

void router::find(std::string_view method, std::string_view path, found& into) const {
  into.clear();
  if (!path.starts_with('/')) return;
  search s{method, false, {}, {}};
  const bool dirty = path.find("//") != std::string_view::npos || path.find("/.") != std::string_view::npos ||
                     path.find("/%2") != std::string_view::npos;
  if (dirty)
    if (std::string cleaned = clean(path); cleaned != path) {
      into.redirect = std::move(cleaned);
      return;
    }
  into.way = s.below(root_, path.substr(1));
  into.malformed = s.malformed && into.way == nullptr;
  if (into.malformed) return;
  if (into.way != nullptr) {
    auto value = s.values.begin();
    for (const segment& g : into.way->what.segments)
      if (g.what == segment::kind::one || g.what == segment::kind::rest)
        into.values.emplace_back(g.text, std::move(*value++));
    return;
  }
  const std::string with_slash = std::string(path) + '/';
  if (!path.ends_with('/') && s.below(root_, std::string_view(with_slash).substr(1)) != nullptr) {
    into.redirect = with_slash;
    return;
  }
  search all{{}, true, {}, {}};
  all.below(root_, path.substr(1));
  for (const std::string& m : all.methods) (into.allow += into.allow.empty() ? "" : ", ") += m;
}

}  // namespace weft::http::detail
