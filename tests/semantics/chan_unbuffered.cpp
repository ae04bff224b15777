// Channels without a buffer: sender and receiver meet.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("chan: an unbuffered channel has no length and no capacity") {
  in_fiber([](expect& e) {
    const chan<int> c;
    e.equal(c.len(), 0u);
    e.equal(c.cap(), 0u);
    e(static_cast<bool>(c));
  });
}

TEST_CASE("chan: a value goes from the sender to the receiver, whoever comes first") {
  in_fiber([](expect& e) {
    const chan<int> c;
    auto sender = spawn([c] { c.send(1); });
    e.equal(c.recv(), std::optional(1));
    sender.join();
    auto receiver = spawn([c] { return c.recv(); });
    test::settle();
    c.send(2);
    e.equal(receiver.join(), std::optional(2));
  });
}

TEST_CASE("chan: send on an unbuffered channel returns only after a receiver has come") {
  in_fiber([](expect& e) {
    const chan<int> c;
    std::atomic<bool> receiving{false};
    bool was_receiving = false;
    auto sender = spawn([&] {
      c.send(1);
      was_receiving = receiving;
    });
    test::settle();
    receiving = true;
    c.recv();
    sender.join();
    e(was_receiving);
  });
}

TEST_CASE("chan: what the sender wrote before is seen by the receiver, and the other way round") {
  in_fiber([](expect& e) {
    const chan<void> ping, pong;
    int plain = 0;
    auto other = spawn([&] {
      for (int i = 0; i < 1000; ++i) {
        ping.recv();
        ++plain;
        pong.send();
      }
    });
    for (int i = 0; i < 1000; ++i) {
      ++plain;
      ping.send();
      pong.recv();
    }
    other.join();
    e.equal(plain, 2000);
  });
}

TEST_CASE("chan: try_send succeeds only with a receiver waiting, try_recv only with a sender waiting") {
  in_fiber([](expect& e) {
    const chan<int> c;
    e(!c.try_send(1));
    e(error_of(c.try_recv()) == errc::would_block);
    auto receiver = spawn([c] { return c.recv(); });
    while (!c.try_send(2)) this_fiber::yield();
    e.equal(receiver.join(), std::optional(2));
    auto sender = spawn([c] { c.send(3); });
    auto got = c.try_recv();
    for (; !got; got = c.try_recv()) this_fiber::yield();
    e.equal(*got, 3);
    sender.join();
  });
}

TEST_CASE("chan: recv and send with a context give the value or the reason") {
  in_fiber([](expect& e) {
    const chan<int> c;
    auto sender = spawn([c] { return c.send(background(), 5).has_value(); });
    const result<int> got = c.recv(background());
    e(got.has_value() && *got == 5);
    e(sender.join());
    const auto [ctx, cancel] = with_timeout(background(), 5ms);
    e(error_of(c.recv(ctx)) == errc::deadline_exceeded);
    e(error_of(c.send(ctx, 6)) == errc::deadline_exceeded);
  });
}

TEST_CASE("chan: a channel of void carries the fact alone") {
  in_fiber([](expect& e) {
    const chan<void> c{1};
    c.send();
    e.equal(c.len(), 1u);
    e(!c.try_send());
    e(c.recv());
    e(c.try_send());
    e(c.recv(background()).has_value());
    e(c.send(background()).has_value());
    c.close();
    e(c.try_recv().has_value());
    e(!c.recv());
    e(error_of(c.recv(background())) == errc::closed);
  });
}

TEST_CASE("chan: waiting receivers are served first come, first served") {
  in_fiber({1}, [](expect& e) {
    const chan<int> c;
    std::vector<task<std::optional<int>>> receivers;
    for (int i = 0; i < 10; ++i) {
      receivers.push_back(spawn([c] { return c.recv(); }));
      test::settle();
    }
    for (int i = 0; i < 10; ++i) c.send(i);
    for (int i = 0; i < 10; ++i) e.equal(receivers[static_cast<std::size_t>(i)].join(), std::optional(i));
  });
}

TEST_CASE("chan: waiting senders are served first come, first served") {
  in_fiber({1}, [](expect& e) {
    const chan<int> c;
    std::vector<task<void>> senders;
    for (int i = 0; i < 10; ++i) {
      senders.push_back(spawn([c, i] { c.send(i); }));
      test::settle();
    }
    for (int i = 0; i < 10; ++i) e.equal(c.recv(), std::optional(i));
    for (auto& sender : senders) sender.join();
  });
}

TEST_CASE("chan: through a chain of a thousand fibers each value passes in order") {
  in_fiber([](expect& e) {
    const chan<int> first;
    recv_chan<int> last = first;
    for (int i = 0; i < 1000; ++i) {
      const chan<int> next;
      go([last, next] {
        for (const int v : last) next.send(v + 1);
        next.close();
      });
      last = next;
    }
    go([first] {
      for (int i = 0; i < 10; ++i) first.send(i);
      first.close();
    });
    int wanted = 1000;
    for (const int v : last) e.equal(v, wanted++);
    e.equal(wanted, 1010);
  });
}
