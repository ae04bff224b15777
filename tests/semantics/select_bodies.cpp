// select: bodies and payloads.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("select: an exception out of a body propagates, and the case has been taken") {
  in_fiber([](expect& e) {
    const chan<int> c{2};
    c.send(1);
    e.throws<std::runtime_error>([&] { select(recv(c, [] { throw std::runtime_error("body"); })); });
    e.equal(c.len(), 0u);
    e.throws<std::runtime_error>([&] { select(send(c, 1, [] { throw std::runtime_error("body"); })); });
    e.equal(c.len(), 1u);
    e.throws<std::runtime_error>([] { select(otherwise([] { throw std::runtime_error("body"); })); });
    const chan<int> other;
    e.equal(select(recv(c), recv(other)), 0);
  });
}

TEST_CASE("select: a body may set the selected channels to nil") {
  in_fiber([](expect& e) {
    chan<int> a{1}, b{1};
    a.send(1);
    b.send(2);
    int sum = 0;
    while (a || b)
      select(recv(a,
                  [&](std::optional<int> v) {
                    sum += *v;
                    a = nullptr;
                  }),
             recv(b, [&](std::optional<int> v) {
               sum += *v;
               b = nullptr;
             }));
    e.equal(sum, 3);
  });
}

TEST_CASE("select: a body may use, close and select on the same channels") {
  in_fiber([](expect& e) {
    const chan<int> c{2};
    c.send(1);
    int inner = -1;
    select(recv(c, [&] {
      c.send(2);
      select(recv(c, [&](std::optional<int> v) { inner = *v; }));
      c.close();
    }));
    e.equal(inner, 2);
    e(!c.recv());
  });
}

TEST_CASE("select: the payload of a clause that lost is kept") {
  in_fiber([](expect& e) {
    const chan<std::unique_ptr<int>> nobody;
    const chan<int> ready{1};
    auto p = std::make_unique<int>(3);
    ready.send(1);
    e.equal(select(send(nobody, std::move(p)), recv(ready)), 1);
    e(p && *p == 3);
    e.equal(select(send(nobody, std::move(p)), otherwise()), 1);
    e(p && *p == 3);
    e.equal(select(send(nobody, std::move(p)), after(1ms)), 1);
    e(p && *p == 3);
  });
}

TEST_CASE("select: the payload is kept when the select is cancelled") {
  in_fiber([](expect& e) {
    const chan<std::unique_ptr<int>> nobody;
    auto p = std::make_unique<int>(3);
    auto waiting = spawn([&] { select(send(nobody, std::move(p))); });
    test::settle();
    waiting.cancel();
    e.throws<canceled>([&] { waiting.join(); });
    e(p && *p == 3);
  });
}

TEST_CASE("select: a sent payload is moved to the receiver") {
  in_fiber([](expect& e) {
    const chan<std::unique_ptr<int>> c;
    auto receiver = spawn([c] { return **c.recv(); });
    auto p = std::make_unique<int>(3);
    e.equal(select(send(c, std::move(p))), 0);
    e(!p);  // NOLINT(bugprone-use-after-move): that is the point
    e.equal(receiver.join(), 3);
  });
}

TEST_CASE("select: bodies left out leave break, continue and return to the caller") {
  in_fiber([](expect& e) {
    const chan<int> in{3};
    for (int i = 0; i < 3; ++i) in.send(i);
    in.close();
    const auto sum = [&] {
      int total = 0;
      for (std::optional<int> v;;) switch (select(recv(in, v))) {
          case 0:
            if (!v) return total;
            total += *v;
            continue;
        }
    };
    e.equal(sum(), 3);
  });
}

TEST_CASE("select: a waiting send clause and a waiting receive clause meet") {
  in_fiber([](expect& e) {
    const chan<std::string> c, other;
    for (int i = 0; i < 200; ++i) {
      auto sender = spawn([c, other] { return select(send(c, std::string(50, 'a')), recv(other)); });
      auto receiver = spawn([c, other] {
        std::optional<std::string> got;
        select(recv(other), recv(c, got));
        return got;
      });
      e.equal(sender.join(), 0);
      e(receiver.join() == std::string(50, 'a'));
    }
  });
}
