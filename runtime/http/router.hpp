// From a method and a path to the handler.
//
// A tree of segments. Where several patterns match, one of them is narrower than all others, as conflicting ones were
// refused; literal before {name} before the rest, with a way back, finds that one first.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/http/pattern.hpp"
#include "weft/http/server.hpp"

namespace weft::http::detail {

struct route {
  pattern what;
  handler run;
};

// What there is for a request.
struct found {
  const route* way = nullptr;
  std::vector<std::pair<std::string_view, std::string>> values;  // of the wildcards
  std::string redirect;                                          // another path to ask for
  std::string allow;                                             // methods, where only the method is wrong
  bool malformed = false;                                        // an escape that is none
  void clear() noexcept;
};

class router {
 public:
  // Throws std::invalid_argument, see server::handle.
  void add(std::string_view pattern, handler h);
  // The path as it was sent.
  void find(std::string_view method, std::string_view path, found& into) const;

 private:
  struct leaf {
    std::vector<const route*> routes;  // by method
    const route* of(std::string_view method) const noexcept;
  };
  struct node {
    std::map<std::string, std::unique_ptr<node>, std::less<>> literals;
    std::unique_ptr<node> one;
    leaf here;     // the path ends with this segment
    leaf nothing;  // an empty segment follows
    leaf rest;     // anything follows
  };
  struct search;

  std::vector<std::unique_ptr<route>> routes_;
  node root_;
};

}  // namespace weft::http::detail
