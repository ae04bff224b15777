// Nil channels: block for ever, and a moved-from handle is one.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("nil: false, empty, and equal to every other nil") {
  in_fiber([](expect& e) {
    const chan<int> c = nullptr;
    e(!c);
    e.equal(c.len(), 0u);
    e.equal(c.cap(), 0u);
    e(c == chan<int>(nullptr));
    e(recv_chan<int>() == c);
    e(!send_chan<int>());
  });
}

TEST_CASE("nil: nothing blocks in try_send and try_recv") {
  in_fiber([](expect& e) {
    const chan<int> c = nullptr;
    e(!c.try_send(1));
    e(error_of(c.try_recv()) == errc::would_block);
  });
}

TEST_CASE("nil: send and recv wait until they are cancelled") {
  in_fiber([](expect& e) {
    const chan<int> c = nullptr;
    const auto [ctx, cancel] = with_timeout(background(), 5ms);
    e(error_of(c.recv(ctx)) == errc::deadline_exceeded);
    e(error_of(c.send(ctx, 1)) == errc::deadline_exceeded);
    auto receiver = spawn([c] { c.recv(); });
    auto sender = spawn([c] { c.send(1); });
    test::settle();
    receiver.cancel();
    sender.cancel();
    e.throws<canceled>([&] { receiver.join(); });
    e.throws<canceled>([&] { sender.join(); });
  });
}

TEST_CASE("nil: a moved-from channel is nil, a copied-from one is not") {
  in_fiber([](expect& e) {
    chan<int> a{1};
    const chan<int> copy = a;
    e(a == copy);
    const chan<int> moved = std::move(a);
    e(!a);  // NOLINT(bugprone-use-after-move): that is the point
    e(moved == copy);
    a = moved;
    e(a == copy);
  });
}
