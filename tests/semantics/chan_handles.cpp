// Handles: views, identity, hashing.
#include <unordered_set>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

static_assert(sizeof(chan<int>) == 8 && sizeof(recv_chan<int>) == 8 && sizeof(send_chan<int>) == 8);
static_assert(std::is_convertible_v<chan<int>, recv_chan<int>> && std::is_convertible_v<chan<int>, send_chan<int>>);
static_assert(!std::is_convertible_v<recv_chan<int>, chan<int>> && !std::is_convertible_v<send_chan<int>, chan<int>>);
static_assert(!std::is_convertible_v<recv_chan<int>, send_chan<int>>);
static_assert(std::is_same_v<received<void>, bool> && std::is_same_v<received<int>, std::optional<int>>);

TEST_CASE("handle: views send to and receive from the same channel") {
  in_fiber([](expect& e) {
    const chan<int> c{1};
    const send_chan<int> in = c;
    const recv_chan<int> out = c;
    in.send(5);
    e.equal(out.len(), 1u);
    e.equal(out.cap(), 1u);
    e.equal(out.recv(), std::optional(5));
    in.close();
    e(!out.recv());
  });
}

TEST_CASE("handle: equality is identity") {
  in_fiber([](expect& e) {
    const chan<int> a, b;
    const chan<int> same = a;
    e(a == same);
    e(a != b);
    e(recv_chan<int>(a) == recv_chan<int>(same));
    e(send_chan<int>(a) == send_chan<int>(same));
    e(send_chan<int>(a) != send_chan<int>(b));
    const chan<void> v, w;
    e(v != w);
    e(send_chan<void>(v) == send_chan<void>(v));
  });
}

TEST_CASE("handle: hash follows equality") {
  in_fiber([](expect& e) {
    const chan<int> a, b;
    const chan<int> same = a;
    e.equal(std::hash<chan<int>>{}(a), std::hash<chan<int>>{}(same));
    e.equal(std::hash<recv_chan<int>>{}(a), std::hash<chan<int>>{}(a));
    std::unordered_set<chan<int>> set{a, b, same};
    e.equal(set.size(), 2u);
    e(set.contains(a));
  });
}

TEST_CASE("handle: templates deduce the element from a channel") {
  in_fiber([](expect& e) {
    const chan<std::string> c{1};
    const auto first = []<class T>(const recv_chan<T>& in) { return *in.recv(); };
    send_chan out(c);
    out.send("text");
    e.equal(first(c), std::string("text"));
  });
}

TEST_CASE("handle: channels of channels, as a request that carries its reply") {
  in_fiber([](expect& e) {
    struct request {
      int n;
      send_chan<int> reply;
    };
    const chan<request> requests;
    auto server = spawn([requests] {
      for (request r : requests) r.reply.send(r.n * r.n);
    });
    for (int i = 0; i < 10; ++i) {
      const chan<int> reply;
      requests.send(request{i, reply});
      e.equal(reply.recv(), std::optional(i * i));
    }
    requests.close();
    server.join();
  });
}
