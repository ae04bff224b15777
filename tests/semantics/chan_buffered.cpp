// Channels with a buffer.
#include <cstdint>
#include <new>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("chan: a buffer takes its capacity without a receiver, and no more") {
  in_fiber([](expect& e) {
    const chan<int> c{3};
    e.equal(c.cap(), 3u);
    for (int i = 0; i < 3; ++i) {
      c.send(i);
      e.equal(c.len(), static_cast<std::size_t>(i + 1));
    }
    e(!c.try_send(3));
    for (int i = 0; i < 3; ++i) e.equal(c.recv(), std::optional(i));
    e.equal(c.len(), 0u);
    e(error_of(c.try_recv()) == errc::would_block);
  });
}

TEST_CASE("chan: order is kept through the buffer and the senders waiting behind it") {
  in_fiber([](expect& e) {
    const chan<int> c{4};
    auto sender = spawn([c] {
      for (int i = 0; i < 1000; ++i) c.send(i);
      c.close();
    });
    int next = 0;
    for (const int v : c) e.equal(v, next++);
    e.equal(next, 1000);
    sender.join();
  });
}

TEST_CASE("chan: a receive from a full buffer lets the first waiting sender in, behind what is there") {
  in_fiber({1}, [](expect& e) {
    const chan<int> c{1};
    c.send(0);
    auto sender = spawn([c] { c.send(1); });
    test::settle();
    e.equal(c.len(), 1u);
    e.equal(c.recv(), std::optional(0));
    e.equal(c.len(), 1u);  // it is in, though its turn has not come yet
    e.equal(c.recv(), std::optional(1));
    sender.join();
  });
}

TEST_CASE("chan: a negative capacity throws and says so, zero is unbuffered") {
  in_fiber([](expect& e) {
    e.throws<std::logic_error>([] { const chan<int> c{-1}; });
    e.throws<std::logic_error>([] { const chan<void> c{-7L}; });
    const chan<int> c{0};
    e.equal(c.cap(), 0u);
    e(!c.try_send(1));
  });
}

TEST_CASE("chan: any integral type gives the capacity") {
  in_fiber([](expect& e) {
    e.equal(chan<int>{std::size_t{7}}.cap(), 7u);
    e.equal(chan<int>{short{5}}.cap(), 5u);
    e.equal(chan<std::string>{128u}.cap(), 128u);
  });
}

TEST_CASE("chan: a cancelled or timed-out wait on a full buffer leaves the buffer as it was") {
  in_fiber([](expect& e) {
    const chan<int> c{1};
    c.send(1);
    const auto [ctx, cancel] = with_timeout(background(), 5ms);
    e(error_of(c.send(ctx, 2)) == errc::deadline_exceeded);
    e.equal(c.len(), 1u);
    e.equal(c.recv(), std::optional(1));
    e.equal(c.len(), 0u);
  });
}

TEST_CASE("chan: a buffer that no memory holds throws bad_alloc") {
  in_fiber([](expect& e) {
    e.throws<std::bad_alloc>([] { const chan<std::string> c{INT64_MAX}; });
    e.throws<std::bad_alloc>([] { const chan<std::string> c{UINT64_MAX}; });
    const chan<void> counts{INT64_MAX};  // needs none
    e.equal(counts.cap(), static_cast<std::size_t>(INT64_MAX));
  });
}

// As a semaphore: the receive of value k lets send k + capacity end.
TEST_CASE("chan: what was done before a receive is seen after the send that it made room for") {
  in_fiber({1, 2, 4}, [](expect& e) {
    constexpr int k_capacity = 3;
    const chan<void> room{k_capacity};
    std::vector<int> plain(500);  // slot i is written before receive i, read after send i + capacity
    auto receiver = spawn([&] {
      for (int& slot : plain) {
        slot = 1;
        room.recv();
      }
    });
    for (std::size_t i = 0; i < plain.size(); ++i) {
      room.send();
      if (i >= k_capacity) e(plain[i - k_capacity] == 1);
    }
    receiver.join();
  });
}
