// What a dump prints about a fiber: its label and the reason it waits.
#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "runtime/fiber/fiber_pool.hpp"
#include "tests/support/support.hpp"

using namespace weft::runtime;

namespace {

struct borrowed_fiber {
  fiber* f = fibers().take();
  borrowed_fiber() { f->set_label(""); }
  ~borrowed_fiber() {
    f->set_label("");
    fibers().give(f);
  }
  std::string label() const {
    char text[fiber::k_label_size];
    return {text, f->copy_label(text)};
  }
};

}  // namespace

TEST_CASE("label: it is what was set last, a copy, and may be empty") {
  const borrowed_fiber b;
  CHECK(b.label().empty());
  std::string text = "reader";
  b.f->set_label(text);
  text = "XXXXXX";
  CHECK(b.label() == "reader");
  b.f->set_label("me");
  CHECK(b.label() == "me");
  b.f->set_label("");
  CHECK(b.label().empty());
}

TEST_CASE("label: a long one is cut to the room there is, and reaches no member beyond it") {
  const borrowed_fiber b;
  const std::string text(100, 'x');
  weft::detail::context_node* const bound = b.f->bound;
  for (const std::size_t length :
       {fiber::k_label_size - 1, fiber::k_label_size, fiber::k_label_size + 1, text.size()}) {
    b.f->set_label(std::string_view(text).substr(0, length));
    CHECK(b.label() == std::string_view(text).substr(0, std::min(length, fiber::k_label_size)));
    CHECK(b.f->bound == bound);
  }
}

TEST_CASE("wait_reason: each has a name of its own, and an impossible one does no harm") {
  std::set<std::string_view> names;
  for (int i = 0; i < static_cast<int>(wait_reason::count); ++i) names.insert(name_of(static_cast<wait_reason>(i)));
  CHECK(names.size() == static_cast<std::size_t>(wait_reason::count));
  CHECK(name_of(wait_reason::none).empty());
  CHECK(name_of(wait_reason::channel_send) == "channel send");
  CHECK(name_of(wait_reason::after_func) == "after_func running");
  CHECK(name_of(wait_reason::count) == "?");
}
