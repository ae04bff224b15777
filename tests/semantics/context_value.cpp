// context: values.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {
struct request_id {
  using type = std::string;
};
struct user {
  using type = std::string;
};
struct how_deep {
  using type = int;
};
// Two libraries that know nothing of each other, and chose the same names.
namespace one_library {
struct key {
  using type = int;
};
}  // namespace one_library
namespace other_library {
struct key {
  using type = int;
};
}  // namespace other_library
}  // namespace

TEST_CASE("value: found by the type of its key, absent ones are null") {
  in_fiber([](expect& e) {
    const context ctx = with_value<request_id>(background(), "r-17");
    e(ctx.value<request_id>() && *ctx.value<request_id>() == "r-17");
    e(ctx.value<user>() == nullptr);
    e(background().value<request_id>() == nullptr);
  });
}

TEST_CASE("value: the nearest wins, the outer one stays as it was") {
  in_fiber([](expect& e) {
    const context outer = with_value<how_deep>(background(), 1);
    const context inner = with_value<how_deep>(outer, 2);
    e.equal(*inner.value<how_deep>(), 2);
    e.equal(*outer.value<how_deep>(), 1);
  });
}

TEST_CASE("value: keys of two libraries are two, though name and type agree") {
  in_fiber([](expect& e) {
    const context one = with_value<one_library::key>(background(), 1);
    e(one.value<other_library::key>() == nullptr);
    const context both = with_value<other_library::key>(one, 2);
    e.equal(*both.value<one_library::key>(), 1);
    e.equal(*both.value<other_library::key>(), 2);
    const context again = with_value<one_library::key>(both, 3);
    e.equal(*again.value<one_library::key>(), 3);
    e.equal(*again.value<other_library::key>(), 2);
  });
}

TEST_CASE("value: an empty one hides the outer one") {
  struct maybe {
    using type = std::optional<int>;
  };
  in_fiber([](expect& e) {
    const context outer = with_value<maybe>(background(), 1);
    const context inner = with_value<maybe>(with_cancel(outer).ctx, std::nullopt);
    e(inner.value<maybe>() != nullptr && !inner.value<maybe>()->has_value());
    e(outer.value<maybe>()->has_value());
  });
}

TEST_CASE("value: seen through every kind of context below, also at depth") {
  in_fiber([](expect& e) {
    context ctx = with_value<user>(background(), "ann");
    for (int i = 0; i < 100; ++i) ctx = with_value<how_deep>(ctx, i);
    auto a = with_cancel(ctx);
    auto b = with_timeout(a, 1h);
    const context c = without_cancel(b);
    e.equal(*c.value<user>(), std::string("ann"));
    e.equal(*c.value<how_deep>(), 99);
    b.cancel();
    e.equal(*b.ctx.value<user>(), std::string("ann"));
  });
}

TEST_CASE("value: lives as long as the context, and is destroyed with it") {
  struct holder {
    using type = std::shared_ptr<test::counted>;
  };
  in_fiber([](expect& e) {
    test::tally values;
    {
      context below;
      {
        const context ctx = with_value<holder>(background(), std::make_shared<test::counted>(values, 5));
        below = with_value<how_deep>(ctx, 1);
      }
      e.equal((*below.value<holder>())->value(), 5);
      e.equal(values.alive(), 1);
    }
    e.equal(values.alive(), 0);
  });
}

TEST_CASE("value: a context with a value is cancelled with its parent") {
  in_fiber([](expect& e) {
    auto [parent, cancel] = with_cancel(background());
    const context ctx = with_value<how_deep>(parent, 1);
    e(!ctx.err());
    cancel();
    e(ctx.err() == errc::canceled);
    e(ctx.cause() != nullptr);
    e(!ctx.done().recv());
  });
}

TEST_CASE("value: a spawned fiber sees the values of the context it is bound to") {
  in_fiber([](expect& e) {
    const context ctx = with_value<request_id>(background(), "r-1");
    e.equal(spawn(ctx, [] { return *this_fiber::context().value<request_id>(); }).join(), std::string("r-1"));
    e(spawn([] { return this_fiber::context().value<request_id>() == nullptr; }).join());
  });
}
